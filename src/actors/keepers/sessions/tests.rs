use super::*;
use crate::{
    actors::keepers::writer,
    domain::id::CustomerId,
    domain::policy::{BuyerRole, Right},
    ports::writer::Writer,
};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, AtomicI64};
use supervisors::{
    Strategy, Supervisor,
    testing::{Universe, until},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What a session's row holds.
#[derive(Clone)]
struct Row {
    token: TokenHash,
    session: Session,
    ended: bool,
}

/// Sessions in memory, read by the port and changed by the writer.
#[derive(Default)]
struct Table {
    rows: Mutex<Vec<Row>>,
    writes: Mutex<Vec<SessionWrite>>,
    reads: AtomicU64,
    /// A read waits there behind its look at the row.
    gate: Mutex<Option<Arc<Semaphore>>>,
    down: AtomicBool,
    now: AtomicI64,
    drawn: AtomicU64,
}

impl Table {
    fn end(&self, which: impl Fn(&Row) -> bool) -> Written {
        let mut rows = self.rows.lock().unwrap();
        let ending = rows.iter_mut().filter(|row| !row.ended && which(row));
        Written::Ended(
            ending
                .map(|row| {
                    row.ended = true;
                    row.token
                })
                .collect(),
        )
    }

    fn open(&self, new: &NewSession, who: Who) {
        let session = Session {
            id: new.id,
            who,
            via: new.via,
            opened_at: new.at,
            seen_at: new.at,
            ends_at: new.ends_at,
            label: new.label.clone(),
            address: new.address.clone(),
        };
        self.rows.lock().unwrap().push(Row { token: new.token, session, ended: false });
    }

    fn apply(&self, write: SessionWrite) -> Written {
        self.writes.lock().unwrap().push(write.clone());
        let who = |user: Option<UserId>| match user {
            None => Who::Guest,
            Some(user) => buyer(user),
        };
        match write {
            SessionWrite::Open(new) => {
                self.open(&new, who(new.user));
                Written::Done
            }
            SessionWrite::Replace { old, new } => {
                let ended = self.end(|row| row.session.id == old);
                self.open(&new, who(new.user));
                ended
            }
            SessionWrite::End { id, user, .. } => self
                .end(|row| row.session.id == id && (user.is_none() || row.session.user() == user)),
            SessionWrite::EndAll { user, but, .. } => {
                self.end(|row| row.session.user() == Some(user) && Some(row.session.id) != but)
            }
            SessionWrite::Touch(seen) => {
                for (id, at) in seen {
                    let mut rows = self.rows.lock().unwrap();
                    for row in rows.iter_mut().filter(|row| row.session.id == id) {
                        row.session.seen_at = at;
                    }
                }
                Written::Done
            }
            SessionWrite::Sweep { .. } | SessionWrite::SweepGuests { .. } => Written::Swept(0),
        }
    }

    fn touches(&self) -> Vec<Vec<(SessionId, Micros)>> {
        let writes = self.writes.lock().unwrap();
        let touches = writes.iter().filter_map(|write| match write {
            SessionWrite::Touch(seen) => Some(seen.clone()),
            _ => None,
        });
        touches.collect()
    }
}

#[async_trait]
impl port::Sessions for Table {
    async fn by_token(&self, token: TokenHash) -> Result<Option<Session>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("down".into()));
        }
        let rows = self.rows.lock().unwrap().clone();
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        let found = rows.into_iter().find(|row| row.token == token && !row.ended);
        Ok(found.map(|row| row.session))
    }
    async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows = self.rows.lock().unwrap().clone();
        let own = rows.into_iter().filter(|row| !row.ended && row.session.user() == Some(user));
        Ok(own.map(|row| row.session).collect())
    }
    async fn merged_into(&self, _: SessionId) -> Result<Option<SessionId>, StoreError> {
        Ok(None)
    }
}

struct TableWriter(Arc<Table>);

#[async_trait]
impl Writer for TableWriter {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let made = writes.into_iter().map(|write| match write {
            Write::Sessions(write) => Ok(self.0.apply(write)),
            other => panic!("{other:?}"),
        });
        made.collect()
    }
}

struct World(Arc<Table>);

impl Clock for World {
    fn now(&self) -> Micros {
        Micros(self.0.now.load(Ordering::SeqCst))
    }
}
impl Ids for World {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(1, self.0.drawn.fetch_add(1, Ordering::SeqCst))
    }
}
impl Chance for World {
    fn bytes(&self) -> [u8; 32] {
        [self.0.drawn.fetch_add(1, Ordering::SeqCst) as u8; 32]
    }
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn buyer(user: UserId) -> Who {
    Who::Buyer { user, customer: CustomerId(user.0), rights: BuyerRole::Admin.rights() }
}

fn opening(who: Who) -> Opening {
    let whence = Whence { label: "curl\n8".into(), address: "::1".into() };
    Opening { who, via: Via::Bearer, scopes: None, whence, ends_at: None }
}

const BEARER: &[Via] = &[Via::Bearer];

async fn world() -> (Universe, Sessions, Arc<Table>) {
    let table = Arc::new(Table::default());
    table.now.store(1_000_000, Ordering::SeqCst);
    let (mailbox, store) = writer::store();
    let sessions = Sessions::new(SessionsParts {
        rows: table.clone(),
        store,
        clock: Arc::new(World(table.clone())),
        ids: Arc::new(World(table.clone())),
        chance: Arc::new(World(table.clone())),
        lifetimes: Lifetimes::default(),
        guests_per_address: 100,
    });
    let opened = table.clone();
    let writer = writer::writer(&mailbox, &Nudge::new(), move || {
        let writer: Box<dyn Writer> = Box::new(TableWriter(opened.clone()));
        async move { Ok(writer) }
    });
    let supervisor = Supervisor::new("test", Strategy::OneForOne)
        .child(writer)
        .child(sessions.child_every(Duration::from_millis(5)));
    (Universe::start(supervisor).await.unwrap(), sessions, table)
}

#[tokio::test]
async fn a_session_is_found_by_its_token_until_it_is_ended() {
    let (universe, sessions, table) = world().await;
    let opened = sessions.open(opening(Who::Guest)).await.unwrap();
    assert!(opened.token.expose().starts_with("stoa_session_"));
    for _ in 0..10 {
        let found = sessions.find(&opened.token, BEARER).await.unwrap().unwrap();
        assert_eq!(*found, opened.session);
        assert_eq!((found.label.as_str(), found.address.as_str()), ("curl8", "::1"));
    }
    assert_eq!(table.reads.load(Ordering::SeqCst), 1, "the others are remembered");
    assert!(sessions.find(&opened.token, &[Via::Cookie]).await.unwrap().is_none());
    assert!(sessions.find(&Secret::new("guess"), BEARER).await.unwrap().is_none());
    assert!(sessions.end(opened.session.id, None).await.unwrap());
    assert!(sessions.find(&opened.token, BEARER).await.unwrap().is_none());
    assert!(!sessions.end(opened.session.id, None).await.unwrap());
    universe.stop().await;
}

#[tokio::test]
async fn logging_in_leaves_the_old_token_dead_and_the_new_one_alive() {
    let (universe, sessions, _) = world().await;
    let guest = sessions.open(opening(Who::Guest)).await.unwrap();
    sessions.find(&guest.token, BEARER).await.unwrap().unwrap();
    let known = sessions.replace(guest.session.id, opening(buyer(user(1)))).await.unwrap();
    assert!(sessions.find(&guest.token, BEARER).await.unwrap().is_none());
    let found = sessions.find(&known.token, BEARER).await.unwrap().unwrap();
    assert!(found.rights().has(Right::Users));
    universe.stop().await;
}

#[tokio::test]
async fn all_of_a_user_are_ended_but_the_one_they_came_with() {
    let (universe, sessions, _) = world().await;
    let mut mine = Vec::new();
    for _ in 0..3 {
        mine.push(sessions.open(opening(buyer(user(1)))).await.unwrap());
    }
    let other = sessions.open(opening(buyer(user(2)))).await.unwrap();
    for opened in mine.iter().chain([&other]) {
        sessions.find(&opened.token, BEARER).await.unwrap().unwrap();
    }
    assert_eq!(sessions.end_all(user(1), Some(mine[1].session.id)).await.unwrap(), 2);
    let mut alive = Vec::new();
    for opened in mine.iter().chain([&other]) {
        alive.push(sessions.find(&opened.token, BEARER).await.unwrap().is_some());
    }
    assert_eq!(alive, [false, true, false, true]);
    assert_eq!(sessions.list(user(1)).await.unwrap().len(), 1);
    // Another's session isn't theirs to end.
    assert!(!sessions.end(other.session.id, Some(user(1))).await.unwrap());
    universe.stop().await;
}

/// The row is read, then ended, and only then what was read comes back: it must not be remembered.
#[tokio::test]
async fn what_is_ended_while_it_is_read_is_not_remembered() {
    let (universe, sessions, table) = world().await;
    let opened = sessions.open(opening(Who::Guest)).await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    *table.gate.lock().unwrap() = Some(gate.clone());
    let reading = sessions.find(&opened.token, BEARER);
    let ending = async {
        until("the row is read", || table.reads.load(Ordering::SeqCst) == 1).await;
        assert!(sessions.end(opened.session.id, None).await.unwrap());
        gate.add_permits(100);
    };
    let (read, ()) = tokio::join!(reading, ending);
    // It was alive when this request came.
    assert!(read.unwrap().is_some());
    assert!(sessions.find(&opened.token, BEARER).await.unwrap().is_none());
    universe.stop().await;
}

#[tokio::test]
async fn uses_are_written_down_seldom_and_together() {
    let (universe, sessions, table) = world().await;
    let mut opened = Vec::new();
    for _ in 0..3 {
        opened.push(sessions.open(opening(buyer(user(1)))).await.unwrap());
    }
    for one in &opened {
        sessions.find(&one.token, BEARER).await.unwrap().unwrap();
    }
    assert!(table.touches().is_empty(), "they were just opened");
    let later = Micros(1_000_000).plus(Duration::from_secs(2 * 60 * 60));
    table.now.store(later.0, Ordering::SeqCst);
    for _ in 0..100 {
        for one in &opened[..2] {
            sessions.find(&one.token, BEARER).await.unwrap().unwrap();
        }
    }
    until("the uses are written", || !table.touches().is_empty()).await;
    let mut ids: Vec<_> = opened[..2].iter().map(|one| (one.session.id, later)).collect();
    ids.sort_unstable();
    assert_eq!(table.touches(), [ids]);
    universe.stop().await;
}

#[tokio::test]
async fn an_idle_session_is_over_though_its_row_is_still_there() {
    let (universe, sessions, table) = world().await;
    let opened = sessions.open(opening(buyer(user(1)))).await.unwrap();
    let idle = Lifetimes::default().buyer.idle;
    table.now.store(Micros(1_000_000).plus(idle).0, Ordering::SeqCst);
    assert!(sessions.find(&opened.token, BEARER).await.unwrap().is_none());
    assert!(sessions.list(user(1)).await.unwrap().is_empty());
    universe.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_not_taken_for_a_stranger() {
    let (universe, sessions, table) = world().await;
    let opened = sessions.open(opening(Who::Guest)).await.unwrap();
    table.down.store(true, Ordering::SeqCst);
    let error = sessions.find(&opened.token, BEARER).await.unwrap_err();
    assert!(matches!(error, SessionsError::Read(StoreError::Unavailable(_))));
    universe.stop().await;
}

#[test]
fn a_label_is_one_short_line() {
    let long = "x".repeat(10_000);
    assert_eq!(plain(&long).len(), MOST_LABEL);
    assert_eq!(plain("a\r\nb\u{1b}[31m"), "ab[31m");
}
