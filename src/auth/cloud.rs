use super::{Endpoint, EndpointError};

/// A Microsoft cloud. Each has its own login host and its own Microsoft Graph; tokens of one are
/// worthless in the others (Microsoft's page "Microsoft Graph national cloud deployments").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The public cloud.
    Global,
    /// US Government, impact level 4.
    UsGovL4,
    /// US Government, impact level 5 (Department of Defense): same login, another Graph.
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// All clouds.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China];

    /// The cloud of this name, ignoring case; besides [`Cloud::name`], the names of Azure CLI and
    /// of the Azure SDKs are understood.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "global" | "public" | "azurecloud" | "azurepublic" => Self::Global,
            "usgov" | "usgov-l4" | "usgovl4" | "azureusgovernment" | "azuregovernment" => {
                Self::UsGovL4
            }
            "usgov-l5" | "usgovl5" | "dod" | "usgov-dod" | "usdod" => Self::UsGovL5,
            "china" | "azurechinacloud" | "azurechina" => Self::China,
            _ => return None,
        })
    }

    /// The name that iefctl uses in settings and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "usgov",
            Self::UsGovL5 => "dod",
            Self::China => "china",
        }
    }

    /// Base URL of the token endpoint.
    pub const fn login_endpoint(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// Base URL of Microsoft Graph.
    pub const fn graph_endpoint(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The audience that external tokens must carry to be exchanged by workload identity
    /// federation.
    pub const fn federation_audience(self) -> &'static str {
        match self {
            Self::Global => "api://AzureADTokenExchange",
            Self::UsGovL4 | Self::UsGovL5 => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }

    /// The cloud that a login host belongs to; US Government counts as L4. `None` for hosts that
    /// are not Microsoft's.
    pub fn of_login_host(host: &str) -> Option<Self> {
        match host.to_ascii_lowercase().as_str() {
            "login.microsoftonline.com" | "login.windows.net" | "login.microsoft.com" => {
                Some(Self::Global)
            }
            "login.microsoftonline.us" => Some(Self::UsGovL4),
            "login.partner.microsoftonline.cn" | "login.chinacloudapi.cn" => Some(Self::China),
            _ => None,
        }
    }
}

/// Where to sign in and where to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The cloud that both belong to, or stand in for.
    pub cloud: Cloud,
    /// Base URL of the token endpoint; `/{tenant}/oauth2/v2.0/token` is appended.
    pub login: Endpoint,
    /// Base URL of Microsoft Graph; `/beta/…` is appended.
    pub graph: Endpoint,
}

impl Endpoints {
    /// The endpoints of `cloud`, each replaced by the explicit one where given.
    ///
    /// # Errors
    /// If an explicit endpoint is unusable; `what` in the error is the command-line flag.
    pub fn new(
        cloud: Cloud,
        login: Option<&str>,
        graph: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let login = login.unwrap_or(cloud.login_endpoint());
        let graph = graph.unwrap_or(cloud.graph_endpoint());
        Ok(Self {
            cloud,
            login: Endpoint::parse(login, "--login-endpoint")?,
            graph: Endpoint::parse(graph, "--graph-endpoint")?
                .without_version("--graph-endpoint")?,
        })
    }

    /// The value of the token request's `scope`: everything that was consented to the application
    /// on this Graph.
    pub fn graph_scope(&self) -> String {
        format!("{}/.default", self.graph_resource())
    }

    /// The Graph that tokens are for. An explicit endpoint that is none of Microsoft's stands in for
    /// the Graph of the cloud.
    pub fn graph_resource(&self) -> String {
        let graph = self.graph.to_string();
        let own = Cloud::ALL
            .iter()
            .any(|cloud| cloud.graph_endpoint() == graph);
        if own {
            graph
        } else {
            self.cloud.graph_endpoint().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_clouds_and_back() {
        for cloud in Cloud::ALL {
            assert_eq!(Cloud::from_name(cloud.name()), Some(cloud));
            assert!(Endpoints::new(cloud, None, None).is_ok());
        }
        assert_eq!(Cloud::from_name("AzureUSGovernment"), Some(Cloud::UsGovL4));
        assert_eq!(Cloud::from_name("germany"), None);
    }

    #[test]
    fn explicit_endpoints_replace_those_of_the_cloud() {
        let endpoints = Endpoints::new(Cloud::China, Some("http://127.0.0.1:9"), None).unwrap();
        assert_eq!(endpoints.login.to_string(), "http://127.0.0.1:9");
        assert_eq!(
            endpoints.graph_scope(),
            "https://microsoftgraph.chinacloudapi.cn/.default"
        );
        let error = Endpoints::new(Cloud::Global, None, Some("http://contoso.com")).unwrap_err();
        assert!(error.to_string().contains("--graph-endpoint"), "{error}");
    }
}
