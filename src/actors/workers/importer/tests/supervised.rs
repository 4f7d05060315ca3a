//! The importer as a child of a tree.

use super::{store::Mishap, *};
use supervisors::{Strategy, Supervisor, reconciler, testing::Universe};

#[tokio::test]
async fn a_supervised_importer_carries_on_after_panics_and_outages() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let nudge = Nudge::new();
    let imports = process_with(&store, folder.path(), nudge.clone());
    let makes = imports.clone();
    let hour = Duration::from_secs(3600);
    let tree = Supervisor::new("test", Strategy::OneForOne).child(reconciler(
        "importer",
        hour,
        &nudge,
        move || {
            let importer = makes.importer();
            async move { Ok(importer) }
        },
    ));
    let universe = Universe::start(tree).await.unwrap();
    store.plan(4, Mishap::PanicsAfter);
    store.plan(7, Mishap::Unavailable);
    store.plan(9, Mishap::LostAfter);
    let file = folder.path().join("rows.jsonl");
    std::fs::write(&file, mixed_rows()).unwrap();
    // Only the nudge of the submit starts it: the timer is an hour away.
    let id = imports.submit_path("rows.jsonl", &file, options()).await.unwrap();
    let mut progress = imports.progress(id).await.unwrap().unwrap();
    progress.wait_for(Progress::ended).await.unwrap();
    assert_eq!(end_state(&imports, &store, id).await, undisturbed().await);
    assert_eq!(universe.view().snapshot().children[0].restarts, 1);
    universe.stop().await;
}
