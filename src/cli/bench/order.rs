//! `stoa bench order`

mod stage;

use super::{
    import::Scratch,
    load::Load,
    rounds::{Plan, Round, with_cpu},
    row::{Reach, Report, Row},
    stage::Database,
};
use crate::{
    boot::PlainShop,
    cli::{Context, Failure, Outcome},
    config::Config,
    folder::Folder,
};
use stage::Stage;
use std::{cell::Cell, path::PathBuf, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// Products that are ordered evenly, and those that everybody wants.
const SPREAD: usize = 1_000;
const HOT: usize = 10;
/// Connections to PostgreSQL of a shop that places orders one by one.
const PLAIN: u32 = 8;

const EXAMPLES: &str = "\
Examples:
  stoa bench order
  stoa bench order --json --rounds 9 --seconds 5 > bench.jsonl
  stoa bench order --only hot --clients 64
  stoa bench order --database-url postgres://user:password@host/postgres";

/// Starts a server on an empty shop of its own and lets guests place orders of one unit over HTTP,
/// each under a key of its own, spread over 1,000 SKUs and on 10 that everybody wants. Beside it, in
/// this process and on a shop of its own, the same rows go in by one transaction an order: over 8
/// connections on PostgreSQL, over the one writing connection on SQLite. RATIO is ours over that
/// baseline's. Payments are asked for while orders come in, and finished before the next round. At
/// the end as many units must be reserved as orders were acknowledged. The shops are made in a folder
/// that is removed again; with --database-url also in databases of that server's, for which its user
/// must be allowed to make some.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Order {
    /// Rounds of each side; the median is the figure.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Seconds of each round.
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Guests who order at a time, each over a connection.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4_000))]
    clients: u16,
    /// Only rows with this in their names; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Where the shops are made [default: the system's place for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// What one row orders.
struct Kind {
    name: &'static str,
    skus: Vec<String>,
    reach: Reach,
}

impl Order {
    pub(crate) async fn run(self, context: &Context, report: &mut Report) -> Outcome {
        let (config, _) = context.config(&[])?;
        let embedded = config.store.database_url.is_empty();
        let kinds = [
            Kind {
                name: "order, spread",
                skus: (0..SPREAD).map(|number| format!("SPREAD-{number:04}")).collect(),
                reach: Reach::ratio(8.0),
            },
            Kind {
                name: "order, 10 hot SKUs",
                skus: (0..HOT).map(|number| format!("HOT-{number:02}")).collect(),
                // One writer can't be held up by others' locks: no more is to be won there.
                reach: Reach::ratio(if embedded { 8.0 } else { 20.0 }),
            },
        ];
        let wanted =
            |kind: &Kind| self.only.is_empty() || self.only.iter().any(|o| kind.name.contains(o));
        let kinds: Vec<_> = kinds.into_iter().filter(wanted).collect();
        if kinds.is_empty() {
            let names = "there is no such row; there are `order, spread` and `order, 10 hot SKUs`";
            return Err(Failure::Usage(names.into()));
        }
        let scratch = Scratch::make(self.scratch.clone())?;
        let databases =
            (Database::make(&config, "ours").await?, Database::make(&config, "plain").await?);
        let done = self.rows(&config, &scratch, (&databases.0, &databases.1), kinds, report).await;
        databases.0.drop(&config).await?;
        databases.1.drop(&config).await?;
        done
    }

    async fn rows(
        &self,
        config: &Config,
        scratch: &Scratch,
        (ours, plain): (&Database, &Database),
        kinds: Vec<Kind>,
        report: &mut Report,
    ) -> Outcome {
        let skus: Vec<_> = kinds.iter().flat_map(|kind| &kind.skus).cloned().collect();
        let file = stage::catalogue(&scratch.0, &skus)?;
        let plain_folder = scratch.0.join("plain");
        stage::filled(&plain_folder, plain, &file).await?;
        let mut there = config.clone();
        there.store.database_url.clone_from(&plain.url);
        let shop = PlainShop::open(&there, &Folder::at(&plain_folder), PLAIN).await;
        let shop = Arc::new(shop.map_err(|error| Failure::Failed(error.to_string()))?);
        let stage = Stage::open(&scratch.0.join("ours"), ours, &file).await?;
        for (number, kind) in kinds.iter().enumerate() {
            report.add(self.row(&stage, &shop, kind, number).await?)?;
        }
        shop.close().await;
        stage.server.close().await;
        Ok(())
    }

    async fn row(
        &self,
        stage: &Stage,
        shop: &Arc<PlainShop>,
        kind: &Kind,
        number: usize,
    ) -> Result<Row, Failure> {
        let clients = usize::from(self.clients);
        let targets = stage.targets(&kind.skus, clients, number).await?;
        let draws = (0..u32::try_from(targets.len()).unwrap_or(u32::MAX)).collect();
        let load = Load::new(targets, draws, clients)
            .ok_or_else(|| Failure::Failed(format!("{}: there is nothing to order", kind.name)))?;
        let plan = Plan { rounds: self.rounds.into(), lasting: Duration::from_secs(self.seconds) };
        let acknowledged = Cell::new(0);
        let compared = plan
            .compare(
                kind.name,
                async |lasting| {
                    let round = with_cpu(
                        Some(stage.server.process()),
                        load.run(stage.server.address, lasting),
                    )
                    .await;
                    acknowledged.set(acknowledged.get() + round.done);
                    stage.server.settled().await;
                    round
                },
                async |lasting| plainly(shop, &kind.skus, lasting).await,
            )
            .await;
        let reserved = stage.reserved(&kind.skus).await?;
        let mut row = compared.row(kind.name, "orders/s", kind.reach);
        if reserved == acknowledged.get() {
            row.note = Some(format!("{reserved} orders acknowledged, {reserved} units reserved"));
        } else {
            row.failed.get_or_insert(format!(
                "{} orders were acknowledged, but {reserved} units are reserved",
                acknowledged.get()
            ));
        }
        Ok(row.judged())
    }
}

/// Everybody who can orders, one after the other, until the time is over.
async fn plainly(shop: &Arc<PlainShop>, skus: &[String], lasting: Duration) -> Round {
    let begun = Instant::now();
    let mut buyers = JoinSet::new();
    let skus: Arc<[String]> = skus.into();
    for buyer in 0..shop.connections() as usize {
        let (shop, skus) = (Arc::clone(shop), Arc::clone(&skus));
        buyers.spawn(async move {
            let mut round = Round::default();
            // Far apart, so that they don't all want the same at the same time.
            let mut next = buyer * skus.len() / PLAIN as usize;
            while begun.elapsed() < lasting {
                let asked = Instant::now();
                match shop.order(&skus[next % skus.len()]).await {
                    Ok(()) => round.count(asked.elapsed()),
                    Err(why) => round.fail(why),
                }
                next += 1;
            }
            round
        });
    }
    let mut all = Round::default();
    while let Some(round) = buyers.join_next().await {
        match round {
            Ok(round) => all.add(round),
            Err(error) => all.fail(format!("the baseline broke: {error}")),
        }
    }
    all.elapsed = begun.elapsed();
    all
}
