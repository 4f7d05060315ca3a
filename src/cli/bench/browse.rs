//! `stoa bench browse`

use super::{
    bare::BareServer,
    draws::{even, zipf},
    engine,
    load::{Load, Target},
    process,
    rounds::{Plan, with_cpu},
    row::{Reach, Report, Row},
    shop, start,
    wire::{Captured, Wire},
};
use crate::cli::{Context, Failure, Outcome, client::Client, output};
use bytes::Bytes;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// Products that are asked for, as far as the shop has them.
const PRODUCTS: usize = 1_000;
/// Of the draws; any would do, as long as it is the same in each run.
const SEED: u64 = 0x5704;
const COLD_LISTS: &str = "cold list page";
const REQUESTS: &str = "requests/s";
/// The page cache's hits among the operators' figures.
const HITS: &str = "stoa_page_cache_hits";
/// Questions to the index that were answered by what it had kept, and by counting.
const KEPT: &str = "stoa_search_questions{answered_by=\"memory\"}";
const COUNTED: &str = "stoa_search_questions{answered_by=\"index\"}";
/// Answered from the page cache up to here, a cold page is a cold page.
const MOST_HITS: f64 = 0.01;

const EXAMPLES: &str = "\
Examples:
  stoa bench browse
  stoa bench browse --json --rounds 9 --seconds 5 > bench.jsonl
  stoa bench browse --only hot --only search
  stoa bench browse --start ./stoa-data --only start   with no server running there
  stoa bench browse --url http://shop:8080 --token …   processor time and memory need its machine";

/// Asks a running server for pages, API resources and searches over kept connections, and a bare
/// server for the same bytes. Hot pages are drawn by Zipf's law from 1,000 of the shop's own
/// products; cold pages, which need the operator's token, pass the page cache by. The cold lists are
/// of many categories, in pages, orders and with filters, and the row says how many answers the index
/// had kept since it last changed. The search row's baseline is the engine by itself, called in this process. RATIO is ours over the baseline's.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Browse {
    /// Rounds of each side; the median is the figure.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Seconds of each round.
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Connections at a time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    connections: u16,
    /// Only rows with this in their names; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Also start a server on this data folder, as often as there are rounds, and measure the time
    /// to its first answer and its memory.
    #[arg(long, value_name = "DIR")]
    start: Option<PathBuf>,
}

/// The server that is measured.
struct Server {
    client: Client,
    address: SocketAddr,
    /// Only of a server on this machine whose data folder is known.
    process: Option<u32>,
}

/// One kind of page.
struct Pages<'a> {
    name: &'a str,
    paths: Vec<String>,
    reach: Reach,
    cold: bool,
}

impl Browse {
    pub(crate) async fn run<S>(
        self,
        context: &Context,
        engine: impl FnOnce() -> Result<S, Failure>,
        report: &mut Report,
    ) -> Outcome
    where
        S: Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    {
        if let Some(data) = &self.start
            && (self.wants("start to first answer") || self.wants("idle memory"))
        {
            for row in start::rows(data, usize::from(self.rounds)).await? {
                report.add(row)?;
            }
        }
        let client = match context.server()? {
            None if self.start.is_some() => return Ok(()),
            Some(client) => client,
            None => context.running_server()?,
        };
        let server = Server::find(context, client).await?;
        if self.start.is_none()
            && self.wants("idle memory")
            && let Some(memory) = server.process.and_then(process::memory)
        {
            report.add(start::memory_row(memory))?;
        }
        let products = shop::products(&server.client, PRODUCTS).await?;
        if products.is_empty() {
            return Err(Failure::Failed(
                "the shop has no products to ask for; fill it with `stoa import products FILE`, \
                 or start one with `stoa serve --demo`"
                    .into(),
            ));
        }
        // Only asked for what is to be measured: it takes two questions a category.
        let walk = match self.wants(COLD_LISTS) && server.client.token().is_some() {
            true => shop::list_walk(&shop::lists(&server.client, &products).await?, SEED),
            false => Vec::new(),
        };
        for pages in kinds(&products, walk) {
            if !self.wants(pages.name) {
                continue;
            }
            if pages.cold && server.client.token().is_none() {
                output::talk(&format!("{}: left out, as it needs --token", pages.name));
                continue;
            }
            report.add(self.pages(&server, pages).await?)?;
        }
        if self.wants("search") {
            let questions = shop::searches(&products, SEED);
            report.add(self.search(&server, questions, engine).await?)?;
        }
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }

    fn plan(&self) -> Plan {
        let lasting = Duration::from_secs(self.seconds);
        Plan { rounds: usize::from(self.rounds), lasting }
    }

    /// Pages of the shop beside the same bytes from memory.
    async fn pages(&self, server: &Server, pages: Pages<'_>) -> Result<Row, Failure> {
        let mut asked = Vec::new();
        for path in &pages.paths {
            asked.push((path.clone(), server.request(path, pages.cold)));
        }
        let answers = server.capture(pages.name, asked).await?;
        let draws = if pages.cold { even } else { zipf }(answers.len(), SEED);
        let targets = answers
            .iter()
            .map(|(_, request, answer)| Target::read(request.clone(), Some(answer.reply.length)));
        let load = Load::new(targets.collect(), draws, usize::from(self.connections))
            .ok_or_else(|| Failure::Failed(format!("{}: the shop has none", pages.name)))?;
        let bare = blocking(move || {
            BareServer::start(answers.iter().map(|(path, _, answer)| (path.as_str(), answer)))
        })
        .await?;
        let before = server.figures().await;
        let addresses = load.targets();
        let compared = self
            .plan()
            .compare(
                pages.name,
                async |lasting| with_cpu(server.process, load.run(server.address, lasting)).await,
                async |lasting| {
                    with_cpu(Some(bare.process()), load.run(bare.address(), lasting)).await
                },
            )
            .await;
        let after = server.figures().await;
        let mut row = compared.row(pages.name, REQUESTS, pages.reach);
        let spent = after.zip(before).map(|(after, before)| after.since(&before));
        if pages.cold {
            row.note = spent.and_then(|spent| spent.kept_share()).map(|share| {
                let percent = (100.0 * share).round();
                format!("{addresses} addresses; {percent} % of the answers kept by the index")
            });
            match spent.map(|spent| spent.hits / compared.done().max(1) as f64) {
                Some(share) if share > MOST_HITS => {
                    let why = "the server answered from its page cache".to_owned();
                    row.failed.get_or_insert(why);
                }
                Some(_) => {}
                None => {
                    row.note = Some("whether the page cache was passed by can't be seen".into());
                }
            }
        }
        Ok(row.judged())
    }

    /// Searches over HTTP beside the engine itself.
    async fn search<S>(
        &self,
        server: &Server,
        questions: Vec<String>,
        engine: impl FnOnce() -> Result<S, Failure>,
    ) -> Result<Row, Failure>
    where
        S: Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    {
        const NAME: &str = "search";
        let target = |text: &String| {
            let request = server.request(&shop::search_resource(text), false);
            Target::read(request, None)
        };
        let draws = even(questions.len(), SEED);
        let targets = questions.iter().map(target).collect();
        let load = Load::new(targets, draws.clone(), usize::from(self.connections))
            .ok_or_else(|| Failure::Failed("no product has a name to search for".into()))?;
        let (questions, draws) = (Arc::from(questions), Arc::from(draws));
        let ours =
            async |lasting| with_cpu(server.process, load.run(server.address, lasting)).await;
        // The index files of another machine aren't here.
        let opened = match server.process {
            Some(_) => engine(),
            None => Err(Failure::Failed("the server's data folder isn't known".into())),
        };
        let reach = Reach::ratio(0.6);
        let alone = match opened {
            Ok(ask) => {
                let (ask, me) = (Arc::new(ask), Some(std::process::id()));
                let baseline = async |lasting| {
                    let questions = Arc::clone(&questions);
                    let round =
                        engine::round(Arc::clone(&ask), questions, Arc::clone(&draws), lasting);
                    with_cpu(me, round).await
                };
                let compared = self.plan().compare(NAME, ours, baseline).await;
                let row = compared.row(NAME, REQUESTS, reach);
                // One waits in a queue of 64, the other in none.
                return Ok(Row { baseline_p99_ms: None, p99_ratio: None, ..row });
            }
            Err(Failure::Failed(why) | Failure::Temporary(why) | Failure::Usage(why)) => why,
            Err(Failure::Silent) => String::new(),
        };
        let row = self.plan().alone(NAME, ours).await.row(NAME, REQUESTS, reach);
        Ok(Row { note: Some(format!("no engine to compare with: {alone}")), ..row })
    }
}

/// The kinds of pages, with what they are to reach; `walk` are the cold lists.
fn kinds(products: &[shop::Product], walk: Vec<String>) -> [Pages<'static>; 5] {
    let product_pages = shop::product_pages(products);
    let resources = shop::product_resources(products);
    let lists = shop::list_pages(products);
    let hot = Reach::ratio(0.8).and_p99(1.5);
    let kind = |name, paths: &Vec<String>, cold| {
        let reach = if cold { Reach::ratio(0.25) } else { hot };
        Pages { name, paths: paths.clone(), reach, cold }
    };
    [
        kind("hot product page", &product_pages, false),
        kind("hot list page", &lists, false),
        kind("hot product API", &resources, false),
        kind("cold product page", &product_pages, true),
        kind(COLD_LISTS, &walk, true),
    ]
}

impl Server {
    async fn find(context: &Context, client: Client) -> Result<Self, Failure> {
        let authority = client.authority();
        let address = tokio::net::lookup_host(authority)
            .await
            .ok()
            .and_then(|mut found| found.next())
            .ok_or_else(|| Failure::Failed(format!("`{authority}` is not a host that is known")))?;
        let owner = context.folder.owner().filter(|owner| {
            let url = owner.url.as_deref().unwrap_or_default();
            Client::to_url(url, None).is_ok_and(|own| own.authority() == authority)
        });
        Ok(Self { process: owner.map(|owner| owner.process), address, client })
    }

    /// A request as it goes over the wire; a cold one asks an operator's favour.
    fn request(&self, path: &str, cold: bool) -> Bytes {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.client.authority());
        if cold && let Some(token) = self.client.token() {
            request.push_str("cache-control: no-store\r\n");
            request.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        request.push_str("\r\n");
        request.into()
    }

    /// What the shop answers to each request. A page that isn't there (any more) is left out.
    async fn capture(
        &self,
        name: &str,
        asked: Vec<(String, Bytes)>,
    ) -> Result<Vec<(String, Bytes, Captured)>, Failure> {
        let away = |error: &dyn std::fmt::Display| {
            let place = self.client.authority();
            Failure::Temporary(format!("the server at {place} doesn't answer: {error}"))
        };
        let all = asked.len();
        let mut kept = Vec::with_capacity(all);
        let mut first_refused = None;
        let mut wire = Wire::connect(self.address).await.map_err(|error| away(&error))?;
        for (path, request) in asked {
            let answer = wire.capture(&request).await.map_err(|error| away(&error))?;
            if answer.reply.last {
                wire = Wire::connect(self.address).await.map_err(|error| away(&error))?;
            }
            match answer.reply.status {
                200 => kept.push((path, request, answer)),
                status => drop(first_refused.get_or_insert((path, status))),
            }
        }
        if let Some((path, status)) = first_refused {
            let left_out = all - kept.len();
            output::talk(&format!(
                "{name}: {left_out} of {all} left out, the first {path} with status {status}"
            ));
        }
        Ok(kept)
    }

    /// What the server has counted so far.
    async fn figures(&self) -> Option<Figures> {
        let answer = self.client.fetch("/metrics").await.ok()?;
        Figures::read(std::str::from_utf8(&answer.body).ok()?)
    }
}

/// Figures of the server that tell where its answers came from.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    /// Of the page cache.
    hits: f64,
    /// Questions to the index answered from what it had kept, and counted anew.
    kept: f64,
    counted: f64,
}

impl Figures {
    /// `None` without the page cache's hits; what is not counted yet is not there yet.
    fn read(metrics: &str) -> Option<Self> {
        let figure = |name: &str| -> Option<f64> {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim_start_matches("_total").trim().parse().ok()
        };
        let (kept, counted) = (figure(KEPT).unwrap_or(0.0), figure(COUNTED).unwrap_or(0.0));
        Some(Self { hits: figure(HITS)?, kept, counted })
    }

    fn since(self, before: &Self) -> Self {
        Self {
            hits: self.hits - before.hits,
            kept: self.kept - before.kept,
            counted: self.counted - before.counted,
        }
    }

    /// `None`: the index wasn't asked.
    fn kept_share(self) -> Option<f64> {
        let all = self.kept + self.counted;
        (all > 0.0).then(|| self.kept / all)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::Failed(format!("the bench broke: {error}")))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(token: Option<&str>) -> Server {
        let client = Client::to_url("http://127.0.0.1:8080", token.map(str::to_owned)).unwrap();
        Server { client, address: ([127, 0, 0, 1], 8080).into(), process: None }
    }

    #[test]
    fn only_a_cold_request_shows_the_token() {
        let server = server(Some("secret"));
        let hot = server.request("/p/a", false);
        assert_eq!(&hot[..], b"GET /p/a HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n\r\n");
        let cold = server.request("/p/a", true);
        let cold = std::str::from_utf8(&cold).unwrap();
        assert!(cold.contains("\r\ncache-control: no-store\r\n"), "{cold}");
        assert!(cold.contains("\r\nauthorization: Bearer secret\r\n"), "{cold}");
        assert!(cold.ends_with("\r\n\r\n"), "{cold}");
    }

    #[test]
    fn hits_are_read_from_the_metrics() {
        let text = "# TYPE stoa_page_cache_hits counter\nstoa_page_cache_hits 12\nother 3\n";
        let hits = |text| Figures::read(text).map(|figures| figures.hits);
        assert_eq!(hits(text), Some(12.0));
        assert_eq!(hits("stoa_page_cache_hits_total 7"), Some(7.0));
        assert_eq!(hits("other 3\n"), None);
        let text = "stoa_page_cache_hits 1\nstoa_search_questions{answered_by=\"index\"} 3\n\
                    stoa_search_questions{answered_by=\"memory\"} 9\n";
        let figures = Figures::read(text).unwrap();
        assert_eq!(figures.kept_share(), Some(0.75));
        assert_eq!(figures.since(&figures).kept_share(), None);
    }
}
