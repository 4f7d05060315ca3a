//! What a call costs: ours, and ractor's own for comparison.
//! `cargo run --release -p supervisors --example overhead`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement takes the time and prints it"
)]

use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use supervisors::{
    Address, Agent, Context, Fault, Mailbox, Pool, PoolOptions, Reply, StartError, Strategy,
    Supervisor, Worker, agent, pool,
};

const CALLS: u32 = 200_000;
const WITHIN: Duration = Duration::from_secs(5);

struct Echo(u64, Reply<u64>);

struct Echoer;

impl Agent for Echoer {
    type Message = Echo;
    const DRAIN: usize = 256;

    async fn handle(&mut self, messages: Vec<Echo>, _ctx: &Context) -> Result<(), Fault> {
        for Echo(value, reply) in messages {
            reply.send(value);
        }
        Ok(())
    }
}

impl Worker for Echoer {
    type Job = Echo;

    async fn run(&mut self, Echo(value, reply): Echo, _ctx: &Context) -> Result<(), Fault> {
        reply.send(value);
        Ok(())
    }
}

struct Plain;
struct PlainEcho(u64, RpcReplyPort<u64>);
impl ractor::Message for PlainEcho {}

impl Actor for Plain {
    type Msg = PlainEcho;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<PlainEcho>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<PlainEcho>,
        PlainEcho(value, reply): PlainEcho,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        reply.send(value)?;
        Ok(())
    }
}

fn report(what: &str, calls: u32, took: Duration) {
    println!("{what:<42} {:>6.2} µs a call", took.as_secs_f64() * 1e6 / f64::from(calls));
}

async fn alone(address: &Address<Echo>) {
    for value in 0..u64::from(CALLS) {
        let _answer = address.call(|reply| Echo(value, reply), WITHIN).await;
    }
}

async fn together(address: &Address<Echo>, callers: u32) {
    let calling = (0..callers).map(|_| {
        let address = address.clone();
        tokio::spawn(async move {
            for value in 0..u64::from(CALLS / callers) {
                let _answer = address.call(|reply| Echo(value, reply), WITHIN).await;
            }
        })
    });
    for caller in calling.collect::<Vec<_>>() {
        let _finished = caller.await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mailbox = Mailbox::new("echo", 1_024);
    let jobs = Pool::new("jobs", PoolOptions { workers: 2, ..PoolOptions::default() });
    let running = Supervisor::new("root", Strategy::OneForOne)
        .child(agent("echo", &mailbox, || async { Ok::<_, StartError>(Echoer) }))
        .child(pool(&jobs, || async { Ok::<_, StartError>(Echoer) }))
        .start()
        .await?;
    let (plain, _join) = Plain::spawn(None, Plain, ()).await?;
    let address = mailbox.address();
    // The caller is a task like the others, not the main thread.
    tokio::spawn(async move {
        for _round in 0..2 {
            let began = Instant::now();
            for value in 0..u64::from(CALLS) {
                let _answer = plain.call(|reply| PlainEcho(value, reply), Some(WITHIN)).await;
            }
            report("ractor's own call, one caller", CALLS, began.elapsed());
            let began = Instant::now();
            alone(&address).await;
            report("an agent's call, one caller", CALLS, began.elapsed());
            let began = Instant::now();
            together(&address, 64).await;
            report("an agent's call, 64 callers", CALLS, began.elapsed());
            let began = Instant::now();
            let handle = jobs.handle();
            for value in 0..u64::from(CALLS) {
                let _answer = handle.call(|reply| Echo(value, reply), WITHIN).await;
            }
            report("a pool's call, one caller, two workers", CALLS, began.elapsed());
        }
        plain.stop(None);
    })
    .await?;
    running.stop().await;
    Ok(())
}
