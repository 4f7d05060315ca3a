//! The card network: what each card does, and that its ledger outlives whatever kills it.

use crate::{
    disk::SmallDisk,
    payments::{AMOUNT, SetClock, TIMES, capture, intent, method, open, refund, send},
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use stoa::{
    adapters::{
        clock::UuidV7,
        payments::{LedgerError, TestCards, cards},
    },
    domain::{
        id::PaymentIntentId,
        payment::{Card, CardError, Decline, Fact, PaymentIntent, Step},
        time::Micros,
    },
    ports::payments::{CardForm, Collects, PaymentError, PaymentProvider},
};

const GOOD: &str = "4242 4242 4242 4242";
const LOST: &str = "4000 0000 0000 1018";

struct Rig {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    network: TestCards,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = SetClock::new();
        let network = open(&folder.path().join("cards.jsonl"), &clock);
        Self { folder, clock, network }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("cards.jsonl")
    }

    /// As after a crash: nothing was closed or said good-bye to.
    fn reopen(&mut self) {
        self.network = open(&self.path(), &self.clock);
    }

    fn intent(&self, number: &str) -> PaymentIntent {
        intent(method(&self.network, number))
    }

    async fn send(&self, intent: &PaymentIntent, step: Step) -> Heard {
        Heard::of(send(&self.network, intent, step).await)
    }

    async fn facts(&self, intent: &PaymentIntent) -> Vec<Fact> {
        let record = self.network.look_up(intent.id).await.unwrap();
        record.map(|record| record.facts.into_iter().collect()).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Yes,
    No(Decline),
    TryAgain,
    Nothing,
    Refused,
}

impl Heard {
    fn of<T>(answer: Result<T, PaymentError>) -> Self {
        match answer {
            Ok(_) => Self::Yes,
            Err(PaymentError::Declined { why, .. }) => Self::No(why),
            Err(PaymentError::Unavailable(_)) => Self::TryAgain,
            Err(PaymentError::Unknown(_)) => Self::Nothing,
            Err(PaymentError::Refused(_)) => Self::Refused,
        }
    }
}

#[tokio::test]
async fn each_card_does_what_the_list_says() {
    use Heard::{No, Nothing, TryAgain, Yes};
    let again_and_again = |no| [No(no); 3].to_vec();
    // What three calls to authorise hear, and whether the network has the money aside then.
    let expected = [
        (GOOD, vec![Yes, Yes, Yes], true),
        ("4000 0000 0000 0002", again_and_again(Decline::Refused), false),
        ("4000 0000 0000 9995", again_and_again(Decline::InsufficientFunds), false),
        ("4000 0000 0000 0069", again_and_again(Decline::ExpiredCard), false),
        ("4000 0000 0000 1000", vec![Yes, Yes, Yes], true),
        (LOST, vec![Nothing, Yes, Yes], true),
        ("4000 0000 0000 1091", vec![Nothing, No(Decline::Refused), No(Decline::Refused)], false),
        ("4000 0000 0000 1026", vec![Nothing, Nothing, Nothing], false),
        ("4000 0000 0000 1034", vec![Nothing, Yes, Yes], true),
        ("4000 0000 0000 1042", vec![TryAgain, TryAgain, Yes], true),
        ("4000 0000 0000 1059", vec![Yes, Yes, Yes], true),
        ("4000 0000 0000 1067", vec![Yes, Yes, Yes], true),
        ("4000 0000 0000 1075", vec![Yes, Yes, Yes], true),
        ("4000 0000 0000 1083", vec![Yes, Yes, Yes], true),
    ];
    let numbers: Vec<_> = cards().iter().map(|card| card.number).collect();
    let listed: Vec<_> = expected.iter().map(|(number, ..)| *number).collect();
    assert_eq!(listed, numbers, "every card is tried");
    let rig = Rig::new();
    for (number, wanted, aside) in expected {
        let intent = rig.intent(number);
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(rig.send(&intent, Step::Authorise).await);
        }
        assert_eq!(heard, wanted, "{number}");
        let facts = rig.facts(&intent).await;
        assert_eq!(facts.contains(&Fact::Authorised { minor: AMOUNT }), aside, "{number}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_told_by_a_look_up_also_after_a_crash() {
    let mut rig = Rig::new();
    let intent = rig.intent(LOST);
    let (take, back) = (capture(AMOUNT), refund(1));
    for (step, wanted) in [(Step::Authorise, 1), (take, 2), (back, 3)] {
        assert_eq!(rig.send(&intent, step).await, Heard::Nothing);
        rig.reopen();
        assert_eq!(rig.facts(&intent).await.len(), wanted, "{step:?}");
        assert_eq!(rig.send(&intent, step).await, Heard::Nothing, "the first since the start");
        assert_eq!(rig.send(&intent, step).await, Heard::Yes);
        assert_eq!(rig.facts(&intent).await.len(), wanted, "{step:?} again");
    }
}

#[tokio::test]
async fn a_call_that_arrives_after_it_was_given_up_takes_nothing() {
    let rig = Rig::new();
    let (kept, given_up) = (rig.intent("4000 0000 0000 1034"), rig.intent("4000 0000 0000 1034"));
    for intent in [&kept, &given_up] {
        assert_eq!(rig.send(intent, Step::Authorise).await, Heard::Nothing);
        assert_eq!(rig.network.look_up(intent.id).await, Ok(None));
    }
    assert_eq!(rig.send(&given_up, Step::Void).await, Heard::Yes);
    rig.clock.advance(TIMES.late);
    assert_eq!(rig.facts(&kept).await, [Fact::Authorised { minor: AMOUNT }]);
    assert_eq!(rig.facts(&given_up).await, [Fact::Voided]);
}

#[tokio::test]
async fn what_was_set_aside_lapses_after_a_week_or_at_once() {
    let rig = Rig::new();
    let (at_once, later) = (rig.intent("4000 0000 0000 1083"), rig.intent(GOOD));
    for intent in [&at_once, &later] {
        assert_eq!(rig.send(intent, Step::Authorise).await, Heard::Yes);
    }
    assert_eq!(rig.send(&at_once, capture(1)).await, Heard::No(Decline::Lapsed));
    rig.clock.advance(Duration::from_secs(7 * 24 * 60 * 60 - 1));
    assert_eq!(rig.send(&later, capture(1)).await, Heard::Yes);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(rig.send(&later, capture(1)).await, Heard::No(Decline::Lapsed));
    // What was taken before can still go back.
    assert_eq!(rig.send(&later, refund(1)).await, Heard::Yes);
}

#[tokio::test]
async fn an_intent_of_nothing_or_less_is_refused() {
    let rig = Rig::new();
    for minor in [0, -1] {
        let mut intent = rig.intent(GOOD);
        intent.amount.minor = minor;
        assert_eq!(rig.send(&intent, Step::Authorise).await, Heard::Refused);
        assert_eq!(rig.network.look_up(intent.id).await, Ok(None));
    }
}

#[test]
fn only_cards_of_the_list_get_a_token_and_it_holds_no_number() {
    let rig = Rig::new();
    assert_eq!(rig.network.collects(), Collects::OnConfirmation);
    let now = Micros(1_800_000_000_000_000);
    let somebodys = Card::read("5555 5555 5555 4444", "12/40", "123", now).unwrap();
    assert_eq!(rig.network.tokenise(&somebodys), Err(CardError::NotATestCard));
    for card in rig.network.to_try() {
        let token = method(&rig.network, &card.number).token;
        let last = &card.number[card.number.len() - 4..];
        assert!(!token.expose().contains(last), "{}", card.does);
    }
}

#[tokio::test]
async fn the_ledger_is_private_and_holds_no_number() {
    use std::os::unix::fs::PermissionsExt;
    let rig = Rig::new();
    let intent = rig.intent(GOOD);
    assert_eq!(rig.send(&intent, Step::Authorise).await, Heard::Yes);
    let mode = fs::metadata(rig.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(rig.path()).unwrap();
    assert!(text.contains(&intent.id.to_string()) && !text.contains("4242"), "{text}");
}

/// A crash may end the file at any byte.
#[tokio::test]
async fn a_torn_last_line_is_cut_off_wherever_it_was_torn() {
    let rig = Rig::new();
    let (first, second) = (rig.intent(GOOD), rig.intent(GOOD));
    rig.send(&first, Step::Authorise).await;
    let whole = fs::read(rig.path()).unwrap();
    rig.send(&second, Step::Authorise).await;
    let longer = fs::read(rig.path()).unwrap();
    assert!(longer.starts_with(&whole));
    for end in whole.len()..longer.len() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("torn.jsonl");
        fs::write(&path, &longer[..end]).unwrap();
        let network = open(&path, &rig.clock);
        let known = |intent: PaymentIntentId| network.look_up(intent);
        let facts = known(first.id).await.unwrap().unwrap().facts;
        assert_eq!(facts.len(), 1, "{end}");
        let of_second = known(second.id).await.unwrap();
        assert!(of_second.is_none_or(|record| record.facts.is_empty()), "{end}");
        // It goes on where it was cut, and what is added is whole.
        send(&network, &second, Step::Authorise).await.unwrap();
        let network = open(&path, &rig.clock);
        assert!(network.look_up(second.id).await.unwrap().is_some(), "{end}");
    }
}

#[tokio::test]
async fn damage_before_the_end_is_named_with_its_line_and_nothing_is_changed() {
    let rig = Rig::new();
    for _ in 0..3 {
        rig.send(&rig.intent(GOOD), Step::Authorise).await;
    }
    let whole = fs::read_to_string(rig.path()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n") + "\n"
    };
    let long = "x".repeat(100_000);
    for (text, wanted) in [
        (with(0, "{}"), 1),
        (with(0, lines[1]), 1),
        (with(2, "not JSON"), 3),
        (with(2, &long), 3),
        // Of an intent that was never heard of.
        (with(3, ""), 4),
        (lines[..2].join("\n") + "\n" + lines[4] + "\n", 3),
        // A second beginning.
        (with(4, lines[0]), 5),
        (with(0, &lines[0].replace("\"layout\":1", "\"layout\":2")), 1),
        (long.clone(), 1),
    ] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("damaged.jsonl");
        fs::write(&path, &text).unwrap();
        let opened = TestCards::open(&path, SetClock::new(), Arc::new(UuidV7), TIMES);
        match opened.map(drop) {
            Err(LedgerError::Damaged { line, .. }) => assert_eq!(line, wanted),
            other => panic!("line {wanted} is damaged: {other:?}"),
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_got_over_without_a_restart() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("cards.jsonl");
    let clock = SetClock::new();
    let network = open(&path, &clock);
    let intents: Vec<_> = (0..200).map(|_| intent(method(&network, GOOD))).collect();
    let (before, rest) = intents.split_first().unwrap();
    send(&network, before, Step::Authorise).await.unwrap();

    let ballast = disk.path().join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    // What is left of the ledger's last block may hold some of them.
    let mut unknown = Vec::new();
    for intent in rest {
        match send(&network, intent, Step::Authorise).await {
            Ok(_) => {}
            Err(PaymentError::Unknown(_)) => unknown.push(intent),
            other => panic!("{other:?}"),
        }
    }
    assert!(!unknown.is_empty());
    let told = network.look_up(unknown[0].id).await;
    assert!(matches!(told, Err(PaymentError::Unavailable(_))), "{told:?}");

    drop(file);
    fs::remove_file(&ballast).unwrap();
    let told = network.look_up(unknown[0].id).await.unwrap();
    assert_eq!(told.unwrap().facts.len(), 1);
    let reopened = open(&path, &clock);
    for intent in &intents {
        assert_eq!(reopened.look_up(intent.id).await.unwrap().unwrap().facts.len(), 1);
    }
}

const LEDGER: &str = "STOA_TEST_LEDGER";
const KILLS: usize = 20;

/// What a server was told before it was killed is still true afterwards.
#[tokio::test]
async fn what_was_answered_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cards.jsonl");
    let (mut told, clock) = (Vec::<PaymentIntentId>::new(), SetClock::new());
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "test_cards::pays_until_it_is_killed"])
            .env(LEDGER, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // After more payments each time, and in the middle of whatever it does then.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = told.len() + 5 + round * 7;
        while told.len() < wanted {
            let line = lines.next().expect("it pays until it is killed").unwrap();
            told.extend(
                line.strip_prefix("paid ").map(|id| id.parse::<PaymentIntentId>().unwrap()),
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            told.extend(
                line.strip_prefix("paid ").and_then(|id| id.parse::<PaymentIntentId>().ok()),
            );
        }
        let network = open(&path, &clock);
        for id in &told {
            let record = network.look_up(*id).await.unwrap();
            let facts = record.unwrap_or_else(|| panic!("{id} was lost in round {round}")).facts;
            assert_eq!(facts.len(), 2, "{id} is authorised and captured once, in round {round}");
        }
    }
    println!("{KILLS} kills, {} payments answered, none lost", told.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other process of what_was_answered_outlives_a_kill"]
async fn pays_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "what the other test hands over")]
    let path = std::env::var(LEDGER).unwrap();
    let network = open(Path::new(&path), &SetClock::new());
    let pay = async |_| {
        loop {
            let mut intent = intent(method(&network, GOOD));
            // Ids of this test are numbered from one in every process.
            intent.id = PaymentIntentId(stoa::ports::clock::Ids::next(&UuidV7));
            send(&network, &intent, Step::Authorise).await.unwrap();
            send(&network, &intent, capture(AMOUNT)).await.unwrap();
            println!("paid {}", intent.id);
        }
    };
    futures_util::future::join_all((0..8).map(pay)).await;
}
