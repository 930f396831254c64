//! b2c-extensions-app, and the ids of it that policies hold.

use crate::msgraph::Application;

use super::{Check, Examination, Group, State};
use crate::setup::Mention;

pub(super) fn check(examination: &Examination<'_>) -> Vec<Check> {
    let (expected, facts) = (examination.expected, examination.facts);
    let check = |id, state, message: String| {
        let subject = match id {
            "extensions-ids" => "ids in policies",
            _ => "application",
        };
        Check::new(Group::Extensions, id, subject, state, message)
    };
    let found = match &facts.extensions {
        Ok(found) => found.as_slice(),
        Err(error) => {
            return vec![Check::unknown(
                Group::Extensions,
                "extensions-application",
                "application",
                error,
                "Application.Read.All",
            )];
        }
    };
    let literal = |mentions: &'_ [Mention]| -> Vec<Mention> {
        let own = mentions.iter().filter(|mention| !mention.is_looked_up());
        own.cloned().collect()
    };
    let clients = literal(&expected.extensions_app);
    let objects = literal(&expected.extensions_object);
    let named = found.iter().find(|application| {
        clients.iter().any(|client| client.is(&application.app_id))
            || objects
                .iter()
                .any(|object| object.is(&application.object_id))
    });
    let (application, mut checks) = match (found, named) {
        ([], _) => {
            let missing = check(
                "extensions-application",
                State::Problem,
                "is not registered in this tenant, although every B2C tenant has it".to_owned(),
            )
            .help(
                "it was deleted: within 30 days, restore it in the portal under App registrations \
                 > Deleted applications; later, ask Microsoft's support",
            );
            return vec![missing];
        }
        ([one], _) | (_, Some(one)) => {
            let message = format!("app id {}, object id {}", one.app_id, one.object_id);
            (
                one,
                vec![check("extensions-application", State::Ok, message)],
            )
        }
        (several, None) => {
            let ids: Vec<&str> = several.iter().map(|it| it.app_id.as_str()).collect();
            let message = format!(
                "{} applications have this name: {}",
                ids.len(),
                ids.join(", ")
            );
            let unclear = check("extensions-application", State::Problem, message).help(
                "the one that the tenant made is the oldest: its description says `Do not modify`; \
                 name its ids in AAD-Common",
            );
            return vec![unclear];
        }
    };
    let swapped = clients
        .iter()
        .any(|client| client.is(&application.object_id))
        && objects.iter().any(|object| object.is(&application.app_id));
    if swapped {
        let place = clients
            .first()
            .map_or(String::new(), |it| format!(" ({})", it.place));
        checks.push(
            check(
                "extensions-ids",
                State::Problem,
                format!("ClientId and ApplicationObjectId are swapped{place}"),
            )
            .help(right(application)),
        );
        return checks;
    }
    // A team may keep its attributes in an application of its own.
    let own = clients.iter().find_map(|client| {
        let known = facts.named.get(&client.value.to_ascii_lowercase())?;
        let other = &known.as_ref().ok()?.as_ref()?.application;
        let fits = objects.iter().any(|object| object.is(&other.object_id));
        (fits && other.app_id != application.app_id).then_some(other)
    });
    if let Some(own) = own {
        checks.push(check(
            "extensions-ids",
            State::Ok,
            format!(
                "policies use application {} ({}) instead",
                own.display_name, own.app_id
            ),
        ));
        return checks;
    }
    let wrong = |mentions: &[Mention], value: &str| {
        let mut wrong = mentions.iter().filter(|mention| !mention.is(value));
        wrong.next().cloned()
    };
    let wrong_client = wrong(&clients, &application.app_id);
    let wrong_object = wrong(&objects, &application.object_id);
    for wrong in [wrong_client, wrong_object].into_iter().flatten() {
        checks.push(check(
            "extensions-ids",
            State::Problem,
            format!(
                "{} ({}) is `{}`, which is not its id",
                wrong.what, wrong.place, wrong.value
            ),
        ));
    }
    // One advice for both.
    if let Some(last) = checks
        .last_mut()
        .filter(|last| last.state == State::Problem)
    {
        last.help = Some(right(application));
    }
    if checks.len() == 1 && !(clients.is_empty() && objects.is_empty()) {
        checks.push(check(
            "extensions-ids",
            State::Ok,
            "ClientId and ApplicationObjectId of the policies fit".to_owned(),
        ));
    }
    checks
}

fn right(application: &Application) -> String {
    format!(
        "ClientId is {}, ApplicationObjectId is {}",
        application.app_id, application.object_id
    )
}
