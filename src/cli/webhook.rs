//! `stoa webhook list|show|add|set|remove|rotate|deliveries|delivery|resend|test`

use super::{Context, Failure, Outcome, client::escaped, output};
use crate::domain::event::EventKind;
use clap::builder::PossibleValuesParser;
use http::Method;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  stoa webhook add https://hooks.example.com/shop --topics order_placed,order_shipped
  stoa webhook test ID                       post it a ping
  stoa webhook list                          every endpoint, and since when one fails
  stoa webhook deliveries ID --state failed  what it didn't take, with what it answered
  stoa webhook resend DELIVERY               post one once more, now
  stoa webhook rotate ID --keep-hours 48     another secret; the old one signs too for two days
  stoa webhook set ID --disable

An event is posted to each endpoint that wants it as a CloudEvent, signed as Standard Webhooks 1.0
has it; at least once, in no order, for three days until it is answered 2xx. 410 disables an endpoint.";

/// Endpoints of others that are told of events, and what came of telling them.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every endpoint.
    List,
    /// All there is about one, but for its secret.
    Show { id: String },
    /// Tell an endpoint of events from now on. Its secret is shown this once.
    Add {
        /// Where they are posted to.
        #[arg(value_name = "URL")]
        to: String,
        /// Kinds of events, with commas between; else every kind.
        #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = kinds())]
        topics: Vec<String>,
    },
    /// Change an endpoint; what isn't named stays.
    Set(Set),
    /// Forget an endpoint and its deliveries.
    Remove { id: String },
    /// Give an endpoint another secret, shown this once.
    Rotate {
        id: String,
        /// How long the one it has signs too.
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        keep_hours: u32,
    },
    /// What an endpoint was told and what it answered last, the newest first.
    Deliveries {
        id: String,
        /// waiting, delivered or failed.
        #[arg(long)]
        state: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One delivery, and each of its tries.
    Delivery {
        /// As `deliveries` shows it.
        delivery: String,
    },
    /// Post a delivery once more, now, under the id that it has.
    Resend {
        /// As `deliveries` shows it.
        delivery: String,
    },
    /// Post a `ping` to an endpoint.
    Test { id: String },
}

fn kinds() -> PossibleValuesParser {
    EventKind::ALL.iter().copied().map(EventKind::as_str).into()
}

fn kinds_or_all() -> PossibleValuesParser {
    EventKind::ALL.iter().copied().map(EventKind::as_str).chain(["all"]).into()
}

#[derive(Debug, clap::Args)]
struct Set {
    id: String,
    #[command(flatten)]
    wish: Wish,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Wish {
    /// Where they are posted to.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// In place of those it has, with commas between; `all` for every kind.
    #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = kinds_or_all())]
    topics: Option<Vec<String>>,
    /// It is told of what happens from then on.
    #[arg(long)]
    enable: bool,
    /// It is told of nothing until it is enabled.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
}

impl Wish {
    fn wanted(&self) -> Value {
        let mut wanted = json!({});
        if let Some(to) = &self.to {
            wanted["url"] = json!(to);
        }
        if let Some(topics) = &self.topics {
            let all = topics.len() == 1 && topics[0] == "all";
            wanted["topics"] = if all { json!([]) } else { json!(topics) };
        }
        if self.enable || self.disable {
            wanted["enabled"] = json!(self.enable);
        }
        wanted
    }
}

impl Webhook {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let server = context.running_server()?;
        let path = |id: &str, rest: &str| format!("/ops/webhooks/{}{rest}", escaped(id));
        let of = |delivery: &str, rest: &str| {
            format!("/ops/webhook-deliveries/{}{rest}", escaped(delivery))
        };
        let post = async |path: &str, body: Option<&Value>| -> Result<Value, Failure> {
            server.change(Method::POST, path, body).await
        };
        match &self.what {
            What::List => list(context, &server.get("/ops/webhooks.json").await?),
            What::Show { id } => show(context, &server.get(&path(id, "")).await?),
            What::Add { to, topics } => {
                let wanted = json!({"url": to, "topics": topics});
                made(context, &post("/ops/webhooks", Some(&wanted)).await?)
            }
            What::Set(set) => {
                let wanted = set.wish.wanted();
                let now = server.change(Method::PATCH, &path(&set.id, ""), Some(&wanted)).await?;
                show(context, &now)
            }
            What::Remove { id } => {
                let none: Value = server.change(Method::DELETE, &path(id, ""), None).await?;
                if context.json { output::json(&none) } else { Ok(()) }
            }
            What::Rotate { id, keep_hours } => {
                let wanted = json!({"keep_hours": keep_hours});
                made(context, &post(&path(id, "/rotate"), Some(&wanted)).await?)
            }
            What::Deliveries { id, state, limit } => {
                let mut path = path(id, &format!("/deliveries?limit={limit}"));
                if let Some(state) = state {
                    path.push_str(&format!("&state={}", escaped(state)));
                }
                deliveries(context, &server.get(&path).await?)
            }
            What::Delivery { delivery } => {
                show_delivery(context, &server.get(&of(delivery, "")).await?)
            }
            What::Resend { delivery } => {
                deliveries_of(context, post(&of(delivery, "/resend"), None).await?)
            }
            What::Test { id } => deliveries_of(context, post(&path(id, "/test"), None).await?),
        }
    }
}

fn list(context: &Context, answer: &Value) -> Outcome {
    if context.json {
        return output::json(answer);
    }
    let row = |row: &Value| {
        let state = match row["enabled"] == json!(true) {
            true => "enabled".to_owned(),
            false => format!("disabled: {}", output::cell(row, "disabled_why")),
        };
        let of = |key| output::cell(row, key);
        vec![of("id"), of("url"), topics(row), of("failing_since"), state]
    };
    let rows: Vec<_> = items(answer).map(row).collect();
    output::table(&["ID", "URL", "TOPICS", "FAILING SINCE", "STATE"], &rows);
    Ok(())
}

fn show(context: &Context, endpoint: &Value) -> Outcome {
    if context.json {
        return output::json(endpoint);
    }
    for (key, value) in endpoint.as_object().into_iter().flatten() {
        let text = match key.as_str() {
            "topics" => topics(endpoint),
            _ => output::cell(endpoint, key),
        };
        if !value.is_null() {
            output::say(&format!("{key:<18}{text}"));
        }
    }
    Ok(())
}

/// With its secret, which is data like the rest.
fn made(context: &Context, made: &Value) -> Outcome {
    if context.json {
        return output::json(made);
    }
    show(context, &made["webhook"])?;
    output::say(&format!("{:<18}{}", "secret", output::cell(made, "secret")));
    output::talk("the secret is shown this once: give it to whoever checks the signatures there");
    Ok(())
}

fn deliveries(context: &Context, answer: &Value) -> Outcome {
    if context.json {
        return output::json(answer);
    }
    let rows: Vec<_> = items(answer)
        .map(|row| {
            let of = |key| output::cell(row, key);
            let next = if row["next_at"].is_null() { of("ended_at") } else { of("next_at") };
            let came = came(&row["last_try"]);
            vec![of("id"), of("topic"), of("subject"), of("state"), of("tries"), next, came]
        })
        .collect();
    let head = ["DELIVERY", "TOPIC", "SUBJECT", "STATE", "TRIES", "NEXT OR END", "LAST ANSWER"];
    output::table(&head, &rows);
    if !answer["next"].is_null() {
        output::talk("there are more: raise --limit, or narrow it down");
    }
    Ok(())
}

fn deliveries_of(context: &Context, delivery: Value) -> Outcome {
    match context.json {
        true => output::json(&delivery),
        false => deliveries(context, &json!({"items": [delivery]})),
    }
}

fn show_delivery(context: &Context, delivery: &Value) -> Outcome {
    if context.json {
        return output::json(delivery);
    }
    for (key, value) in delivery.as_object().into_iter().flatten() {
        if !value.is_null() && !value.is_object() && !value.is_array() {
            output::say(&format!("{key:<12}{}", output::cell(delivery, key)));
        }
    }
    for line in delivery["all_tries"].as_array().into_iter().flatten() {
        let of = |key| output::cell(line, key);
        output::say(&format!("\ntry {} at {}: {}", of("n"), of("at"), came(line)));
        if let Some(said) = line["said"].as_str().filter(|said| !said.is_empty()) {
            output::say(said);
        }
    }
    Ok(())
}

/// What was answered, or why nothing was.
fn came(line: &Value) -> String {
    match line["error"].as_str() {
        Some(error) => error.to_owned(),
        None => output::cell(line, "status"),
    }
}

fn topics(endpoint: &Value) -> String {
    let topics: Vec<_> = endpoint["topics"].as_array().into_iter().flatten().collect();
    match topics.is_empty() {
        true => "all".to_owned(),
        false => topics.iter().filter_map(|topic| topic.as_str()).collect::<Vec<_>>().join(","),
    }
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}
