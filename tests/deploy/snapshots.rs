//! What is overwritten is saved first, and put back where that was asked for.

use iefctl::deploy::{ExecuteError, PolicyAction, Snapshot, Status};
use iefctl::emulator::{Body, Fault, FaultRule, Faults};

use super::world::{TENANT, World, claim, local, policy, small_set};

fn refuse(id: &str) -> Faults {
    let fault = Fault::Status {
        status: 400,
        body: Body::OData,
        retry_after: None,
    };
    let path = format!("*/{id}/*");
    Faults::default().with(FaultRule::new(fault).method("PUT").path(&path))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overwritten_can_be_found_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new().await;
    world.execute.snapshots = Some(folder.path().to_owned());
    world.deploy(&small_set()).await;
    let stored = world.stored("B2C_1A_Ext").unwrap();
    let changed = local(&[
        ("B2C_1A_Base", policy("B2C_1A_Base", None, &claim("email"))),
        (
            "B2C_1A_Ext",
            policy("B2C_1A_Ext", Some("B2C_1A_Base"), &claim("shoeSize")),
        ),
        ("B2C_1A_New", policy("B2C_1A_New", Some("B2C_1A_Ext"), "")),
    ]);
    let outcome = world.deploy(&changed).await;
    let snapshot = Snapshot::latest(folder.path(), TENANT).unwrap();
    assert_eq!(outcome.snapshot.as_deref(), Some(snapshot.folder.as_path()));
    let saved: Vec<_> = snapshot
        .manifest
        .policies
        .iter()
        .map(|policy| (policy.id.as_str(), policy.action, policy.file.as_deref()))
        .collect();
    assert_eq!(
        saved,
        [
            ("B2C_1A_Ext", PolicyAction::Update, Some("B2C_1A_Ext.xml")),
            ("B2C_1A_New", PolicyAction::Create, None),
        ]
    );
    assert_eq!(
        std::fs::read_to_string(snapshot.folder.join("B2C_1A_Ext.xml")).unwrap(),
        stored
    );
    assert_eq!(
        snapshot.text(&snapshot.manifest.policies[0]).unwrap(),
        Some(stored)
    );
    assert!(snapshot.folder.join("plan.json").exists());
    assert_eq!(Snapshot::list(folder.path(), TENANT).unwrap().len(), 2);

    // Without changes there is nothing to save.
    assert_eq!(world.deploy(&changed).await.snapshot, None);
    assert_eq!(Snapshot::list(folder.path(), TENANT).unwrap().len(), 2);

    std::fs::write(snapshot.folder.join("B2C_1A_Ext.xml"), "other").unwrap();
    assert!(snapshot.text(&snapshot.manifest.policies[0]).is_err());
}

/// Only finished ones go, only of this tenant, and never a folder in which somebody keeps something.
#[tokio::test(flavor = "multi_thread")]
async fn old_snapshots_go_and_what_may_be_needed_stays() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::new().await;
    world.execute.snapshots = Some(root.path().to_owned());
    let mut folders = Vec::new();
    for number in 0..6 {
        let body = claim(&format!("claim{number}"));
        let files = [("B2C_1A_Base", policy("B2C_1A_Base", None, &body))];
        folders.push(world.deploy(&local(&files)).await.snapshot.unwrap());
    }
    let list = || -> Vec<_> {
        let all = Snapshot::list(root.path(), TENANT).unwrap();
        all.into_iter().map(|snapshot| snapshot.folder).collect()
    };
    assert_eq!(list(), folders);
    // None has come to its end as far as anybody knows.
    assert!(Snapshot::forget(root.path(), TENANT, 1).unwrap().is_empty());
    for position in [0, 1, 3, 4, 5] {
        Snapshot::finish(&folders[position]).unwrap();
    }
    std::fs::write(folders[1].join("notes.txt"), "mine").unwrap();
    let other = root.path().join("fabrikam.onmicrosoft.com");
    std::fs::create_dir(&other).unwrap();
    std::fs::create_dir(other.join("20200101T000000Z")).unwrap();
    assert!(
        Snapshot::forget(root.path(), "fabrikam.onmicrosoft.com", 1)
            .unwrap()
            .is_empty()
    );
    // With 5 finished ones and 2 to keep three would go; one of them is not ours alone.
    let gone = Snapshot::forget(root.path(), &TENANT.to_uppercase(), 2).unwrap();
    assert_eq!(gone, [folders[0].clone(), folders[3].clone()]);
    let stay = [1, 2, 4, 5].map(|position| folders[position].clone());
    assert_eq!(list(), stay);
    // Nothing is left of them.
    let entries = std::fs::read_dir(folders[1].parent().unwrap()).unwrap();
    assert_eq!(entries.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_if_nothing_can_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut world = World::new().await;
    world.execute.snapshots = Some(file);
    let error = world.try_deploy(&small_set()).await.unwrap_err();
    assert!(matches!(error, ExecuteError::Snapshot(_)), "{error}");
    assert!(world.writes().is_empty());
}

#[test]
fn a_manifest_that_leads_out_of_its_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = |file: &str| {
        serde_json::json!({
            "schemaVersion": 1, "tenant": TENANT, "tenantId": null, "created": "",
            "policies": [{"id": "B2C_1A_X", "action": "update", "file": file, "text": null,
                          "base": null, "deployed": null}],
        })
        .to_string()
    };
    let path = folder.path().join("manifest.json");
    for file in ["../x.xml", "/etc/passwd", "a/b.xml", ""] {
        std::fs::write(&path, manifest(file)).unwrap();
        assert!(Snapshot::open(folder.path()).is_err(), "{file}");
    }
    std::fs::write(&path, manifest("x.xml")).unwrap();
    assert!(Snapshot::open(folder.path()).is_ok());
    std::fs::write(&path, "{").unwrap();
    assert!(Snapshot::open(folder.path()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_atomic_deployment_leaves_the_tenant_as_it_was() {
    let mut world = World::new().await;
    world.deploy(&small_set()).await;
    let contents = |world: &World| -> Vec<(String, String)> {
        let ids = world.emulator.store().policies(TENANT);
        ids.into_iter()
            .map(|id| (id.clone(), world.stored(&id).unwrap()))
            .collect()
    };
    let before = contents(&world);
    world.execute.atomic = true;
    world.plan.delete = vec!["B2C_1A_Reset".to_owned()];
    let changed = local(&[
        (
            "B2C_1A_Base",
            policy("B2C_1A_Base", None, &claim("shoeSize")),
        ),
        (
            "B2C_1A_Ext",
            policy("B2C_1A_Ext", Some("B2C_1A_Base"), &claim("other")),
        ),
        (
            "B2C_1A_SignIn",
            policy("B2C_1A_SignIn", Some("B2C_1A_Ext"), &claim("third")),
        ),
        ("B2C_1A_New", policy("B2C_1A_New", Some("B2C_1A_Ext"), "")),
        (
            "B2C_1A_Newer",
            policy("B2C_1A_Newer", Some("B2C_1A_New"), ""),
        ),
    ]);
    world.faults(refuse("B2C_1A_SignIn"));
    let outcome = world.deploy(&changed).await;
    let status = |id| outcome.policy(id).unwrap().status;
    assert_eq!(status("B2C_1A_SignIn"), Status::Failed);
    assert_eq!(status("B2C_1A_Reset"), Status::Blocked);
    for id in ["B2C_1A_Base", "B2C_1A_Ext", "B2C_1A_New", "B2C_1A_Newer"] {
        assert_eq!(status(id), Status::Restored, "{outcome:#?}");
    }
    assert_eq!(outcome.summary.restored, 4);
    assert_eq!(contents(&world), before);

    world.faults(Faults::default());
    let again = world.deploy(&changed).await;
    assert!(again.is_complete());
    assert!(world.stored("B2C_1A_Reset").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_back_is_said() {
    let mut world = World::new().await;
    world.execute.atomic = true;
    let set = local(&[
        ("B2C_1A_Base", policy("B2C_1A_Base", None, "")),
        (
            "B2C_1A_Leaf",
            policy("B2C_1A_Leaf", Some("B2C_1A_Base"), ""),
        ),
    ]);
    let fault = Fault::Status {
        status: 400,
        body: Body::OData,
        retry_after: None,
    };
    world.faults(refuse("B2C_1A_Leaf").with(FaultRule::new(fault).method("DELETE")));
    let outcome = world.deploy(&set).await;
    let base = outcome.policy("B2C_1A_Base").unwrap();
    assert_eq!(base.status, Status::Failed);
    let message = &base.error.as_ref().unwrap().message;
    assert!(message.contains("could not be deleted again"), "{message}");
    assert!(world.stored("B2C_1A_Base").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refused_once_the_tenant_or_the_files_moved() {
    let world = World::new().await;
    let set = small_set();
    world.deploy(&set).await;
    let changed = local(&[(
        "B2C_1A_Base",
        policy("B2C_1A_Base", None, &claim("shoeSize")),
    )]);
    let (planned, remote) = world.plan(&changed).await;
    let text = serde_json::to_string(&planned.plan).unwrap();
    let plan: iefctl::deploy::Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(plan, planned.plan);
    assert!(plan.moved(&changed, &remote).is_empty());

    let other = local(&[(
        "B2C_1A_Base",
        policy("B2C_1A_Base", None, &claim("hatSize")),
    )]);
    assert_eq!(plan.moved(&other, &remote).len(), 1);
    let materials = world.materials(&planned, &other);
    let before = world.writes().len();
    let error = world
        .execute(&planned, &other, &remote, materials)
        .await
        .unwrap_err();
    assert!(matches!(error, ExecuteError::Moved(_)), "{error}");
    assert_eq!(world.writes().len(), before);

    world.deploy(&other).await;
    let (_, remote) = world.plan(&changed).await;
    assert_eq!(plan.moved(&changed, &remote).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_a_deployment_of_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new().await;
    world.deploy(&small_set()).await;
    let before = world.stored("B2C_1A_Base");
    world.execute.snapshots = Some(folder.path().to_owned());
    let changed = local(&[
        (
            "B2C_1A_Base",
            policy("B2C_1A_Base", None, &claim("shoeSize")),
        ),
        ("B2C_1A_New", policy("B2C_1A_New", Some("B2C_1A_Base"), "")),
    ]);
    world.deploy(&changed).await;

    let snapshot = Snapshot::latest(folder.path(), TENANT).unwrap();
    assert_eq!(snapshot.created(), ["B2C_1A_New"]);
    let texts = snapshot.texts().unwrap();
    let files: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    let saved = local(&files);
    world.plan.delete = snapshot.created();
    let (_, remote) = world.plan(&saved).await;
    assert!(snapshot.overtaken(&remote).unwrap().is_empty());
    assert!(world.deploy(&saved).await.is_complete());
    assert_eq!(world.stored("B2C_1A_Base"), before);
    assert_eq!(world.stored("B2C_1A_New"), None);

    world.plan.delete.clear();
    world
        .deploy(&local(&[(
            "B2C_1A_Base",
            policy("B2C_1A_Base", None, &claim("third")),
        )]))
        .await;
    let (_, remote) = world.plan(&saved).await;
    assert_eq!(snapshot.overtaken(&remote).unwrap(), ["B2C_1A_Base"]);
}
