//! However often a run is cut, it ends as if it never was.

use super::{store::MISHAPS, *};
use crate::actors::workers::importer::tests::store::Mishap;
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

struct Shop {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    id: ImportId,
}

impl Shop {
    /// With [`mixed_rows`] handed in and nothing run yet.
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: ImportOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::default());
        let file = folder.path().join("rows.jsonl");
        std::fs::write(&file, mixed_rows()).unwrap();
        let imports = process(&store, &folder.path().join("imports"));
        let id = block_on(imports.submit_path("rows.jsonl", &file, options)).unwrap();
        Self { folder, store, id }
    }

    fn process(&self) -> Imports {
        process(&self.store, &self.folder.path().join("imports"))
    }

    /// New processes until the import has ended; one that failed for want of room is resumed.
    fn until_ended(&self) -> EndState {
        for _ in 0..5 {
            let imports = self.process();
            let pass = AssertUnwindSafe(|| block_on(imports.importer().run_all()));
            let _cut = catch_unwind(pass);
            let end = block_on(end_state(&imports, &self.store, self.id));
            match end.state {
                ImportState::Succeeded => return end,
                ImportState::Failed => {
                    assert!(end.message.is_some_and(|why| why.ends_with("the disk is full")));
                    // Its write may meet with a mishap too; then it is still failed next time.
                    let _cut = catch_unwind(AssertUnwindSafe(|| block_on(imports.resume(self.id))));
                }
                _ => {}
            }
        }
        panic!("five processes were not enough");
    }
}

#[test]
fn every_mishap_at_every_write_ends_as_a_clean_run_does() {
    let clean = block_on(undisturbed());
    let shop = Shop::new();
    shop.until_ended();
    let writes = shop.store.writes();
    assert!(writes > 15, "there are {writes} writes to disturb");
    for mishap in MISHAPS {
        // Number 0 made the row.
        for at in 1..writes {
            let shop = Shop::new();
            shop.store.plan(at, mishap);
            assert_eq!(shop.until_ended(), clean, "{mishap:?} at write {at}");
        }
    }
}

#[test]
fn a_dry_run_that_is_disturbed_counts_what_the_run_would_do() {
    let clean = block_on(undisturbed());
    let dry = || Shop::with(ImportOptions { dry_run: true, ..options() });
    let shop = dry();
    assert_eq!(shop.until_ended().counts, clean.counts);
    let writes = shop.store.writes();
    for mishap in MISHAPS {
        for at in 1..writes {
            let shop = dry();
            shop.store.plan(at, mishap);
            let end = shop.until_ended();
            assert_eq!(end.counts, clean.counts, "{mishap:?} at write {at}");
            assert!(end.products.is_empty(), "{mishap:?} at write {at}");
        }
    }
}

#[test]
fn two_mishaps_are_no_worse_than_one() {
    let clean = block_on(undisturbed());
    for (at, first) in (2..14).zip(MISHAPS.into_iter().cycle()) {
        for second in [Mishap::LostAfter, Mishap::PanicsAfter, Mishap::Twice] {
            let shop = Shop::new();
            shop.store.plan(at, first);
            shop.store.plan(at + 2, second);
            assert_eq!(shop.until_ended(), clean, "{first:?}, {second:?} from write {at}");
        }
    }
}

#[test]
fn a_run_dropped_at_any_await_is_carried_on_without_loss() {
    let clean = block_on(undisturbed());
    let mut whole = 0;
    for most in (1..).step_by(3) {
        let shop = Shop::new();
        let imports = shop.process();
        let finished = block_on(async {
            let mut importer = imports.importer();
            let mut run = pin!(importer.run_all());
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                if polls > most {
                    return Poll::Ready(false);
                }
                run.as_mut().poll(cx).map(|done| done.is_ok())
            })
            .await
        });
        assert_eq!(shop.until_ended(), clean, "dropped at poll {most}");
        whole += i32::from(finished);
        if whole > 2 {
            assert!(most > 30, "there were only {most} awaits to cut at");
            return;
        }
    }
}

#[test]
fn an_importer_that_dies_again_and_again_gives_the_import_up() {
    let shop = Shop::new();
    let imports = shop.process();
    // The row is made and set running by writes 0 and 1; each life gets as far as one batch.
    for at in 2..5 {
        shop.store.plan(at, Mishap::PanicsBefore);
    }
    for _ in 0..3 {
        let pass = AssertUnwindSafe(|| block_on(imports.importer().run_all()));
        assert!(catch_unwind(pass).is_err());
    }
    block_on(imports.importer().run_all()).unwrap();
    let end = block_on(end_state(&imports, &shop.store, shop.id));
    assert_eq!(end.state, ImportState::Failed);
    assert_eq!(end.message.as_deref(), Some("it died 3 times while running; the log says more"));
}

#[tokio::test]
async fn a_writer_that_stays_full_ends_the_pass_and_not_the_import() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, &folder.path().join("imports"));
    let file = folder.path().join("rows.jsonl");
    std::fs::write(&file, mixed_rows()).unwrap();
    let id = imports.submit_path("rows.jsonl", &file, options()).await.unwrap();
    for at in 5..500 {
        store.plan(at, Mishap::Full);
    }
    let error = imports.importer().run_all().await.unwrap_err();
    assert!(matches!(error, PassError::Run(RunError::Busy(_))), "{error}");
    assert_eq!(imports.get(id).await.unwrap().unwrap().state, ImportState::Running);
}
