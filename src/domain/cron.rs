//! When something happens again and again: a cron expression on the clock of a place.
//!
//! A tick is a moment of that clock, and happens once however the clock is turned. Where the
//! expression names hours, a tick that the clock passes over in spring happens as the gap ends,
//! several of them together once, and one that the clock shows twice in autumn happens the first
//! time. Where it means every hour (`*`), ticks go by the hours as they pass: an hour that isn't
//! there has none, and the one that comes twice has them twice.

use crate::domain::time::Micros;
use croner::{
    errors::CronError,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    Timestamp, Zoned,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use std::sync::LazyLock;

/// Of a whole expression.
const MOST_CHARACTERS: usize = 200;
const FIELDS: [&str; 6] = ["second", "minute", "hour", "day", "month", "weekday"];
const NICKNAMES: [&str; 6] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"];

/// The program's own, so that every node knows the same zones.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Cheap enough to read anew each time.
#[derive(Debug, Clone)]
pub struct Cron {
    pattern: croner::Cron,
    zone: TimeZone,
    /// Every hour is meant, so ticks go by hours as they pass.
    hourly: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCron {
    #[error(
        "a cron expression has five fields (minute, hour, day, month, weekday), or six with \
         seconds in front, and this has {0}"
    )]
    Fields(usize),
    #[error("the {name}, `{text}` at character {column}: {why}")]
    Field { name: &'static str, text: String, column: usize, why: String },
    #[error("`{0}` is none of {all}", all = NICKNAMES.join(", "))]
    Nickname(String),
    #[error("at most {MOST_CHARACTERS} characters")]
    Long,
    #[error("no day is like that, so it would never happen")]
    Never,
    #[error("`{0}` is no time zone; one is Europe/Berlin or UTC, as in the tz database")]
    Zone(String),
}

impl Cron {
    /// `zone`: a name of the tz database.
    pub fn new(expression: &str, zone: &str) -> Result<Self, BadCron> {
        let zone = ZONES.get(zone).map_err(|_| BadCron::Zone(zone.to_owned()))?;
        if expression.chars().count() > MOST_CHARACTERS {
            return Err(BadCron::Long);
        }
        let hours = check(expression)?;
        // What each field alone doesn't show is at least said.
        let whole = |error| BadCron::Field {
            name: "expression",
            text: expression.to_owned(),
            column: 1,
            why: told(error),
        };
        let pattern = read(expression).map_err(whole)?;
        let cron = Self { pattern, zone, hourly: hours == "*" };
        match cron.next(Micros(0)) {
            Some(_) => Ok(cron),
            None => Err(BadCron::Never),
        }
    }

    /// The first tick behind a time. `None`: beyond the calendar.
    pub fn next(&self, after: Micros) -> Option<Micros> {
        let now = self.zoned(after)?;
        if self.hourly {
            let next = self.pattern.find_next_occurrence(&now, false).ok()?;
            return Some(micros(next.timestamp()));
        }
        let mut clock = now.datetime();
        loop {
            clock = self.pattern.find_next_occurrence(&clock, false).ok()?;
            // In the second showing of an hour those of the first are behind.
            let at = self.first_showing(clock)?;
            if at > after {
                return Some(at);
            }
        }
    }

    /// The last tick at a time or before it.
    pub fn last(&self, until: Micros) -> Option<Micros> {
        let now = self.zoned(until)?;
        if self.hourly {
            let last = self.pattern.find_previous_occurrence(&now, true).ok()?;
            return Some(micros(last.timestamp()));
        }
        let mut clock = now.datetime();
        if let AmbiguousOffset::Fold { before, after } =
            self.zone.to_ambiguous_timestamp(clock).offset()
        {
            // The rest of the hour was shown before.
            clock = clock.checked_add(before.duration_since(after)).ok()?;
        }
        let mut inclusive = true;
        loop {
            clock = self.pattern.find_previous_occurrence(&clock, inclusive).ok()?;
            inclusive = false;
            let at = self.first_showing(clock)?;
            if at <= until {
                return Some(at);
            }
        }
    }

    /// A time as the place's clock shows it, with its distance to UTC.
    pub fn local(&self, at: Micros) -> String {
        let shown = self.zoned(at).map(|at| at.strftime("%Y-%m-%d %H:%M:%S %:z").to_string());
        shown.unwrap_or_default()
    }

    fn zoned(&self, at: Micros) -> Option<Zoned> {
        Some(Timestamp::from_microsecond(at.0).ok()?.to_zoned(self.zone.clone()))
    }

    /// When the clock first shows this, or passes it over.
    fn first_showing(&self, clock: DateTime) -> Option<Micros> {
        let shown = self.zone.to_ambiguous_timestamp(clock);
        let at = match shown.offset() {
            AmbiguousOffset::Gap { .. } => {
                // Reckoned by the offset behind the gap it lies before it.
                let before = shown.earlier().ok()?;
                self.zone.following(before).next()?.timestamp()
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                shown.earlier().ok()?
            }
        };
        Some(micros(at))
    }
}

fn micros(at: Timestamp) -> Micros {
    Micros(at.as_microsecond())
}

fn read(expression: &str) -> Result<croner::Cron, CronError> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(expression)
}

/// Each field by itself, so that an error has a place; answers with that of hours.
fn check(expression: &str) -> Result<&str, BadCron> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if let [nickname] = fields[..]
        && nickname.starts_with('@')
    {
        let hours = if nickname.eq_ignore_ascii_case("@hourly") { "*" } else { "0" };
        let known = NICKNAMES.iter().any(|name| nickname.eq_ignore_ascii_case(name));
        return if known { Ok(hours) } else { Err(BadCron::Nickname(nickname.to_owned())) };
    }
    let names = match fields.len() {
        5 => &FIELDS[1..],
        6 => &FIELDS[..],
        other => return Err(BadCron::Fields(other)),
    };
    let mut from = 0;
    for (name, field) in names.iter().zip(&fields) {
        let place = expression[from..].find(field).map_or(from, |at| from + at);
        from = place + field.len();
        if let Err(why) = check_field(name, field) {
            let column = expression[..place].chars().count() + 1;
            return Err(BadCron::Field { name, text: (*field).to_owned(), column, why });
        }
    }
    Ok(fields[fields.len() - 4])
}

fn check_field(name: &str, field: &str) -> Result<(), String> {
    if field.split(',').any(str::is_empty) {
        return Err("a list has something between its commas".into());
    }
    if field.contains('@') {
        return Err("a name with @ stands alone".into());
    }
    let alone = FIELDS.map(|one| if one == name { field } else { "*" }).join(" ");
    read(&alone).map(drop).map_err(told)
}

/// The library's words without its own names for things.
fn told(error: CronError) -> String {
    let why = match error {
        CronError::InvalidPattern(why)
        | CronError::IllegalCharacters(why)
        | CronError::ComponentError(why) => why,
        other => other.to_string(),
    };
    why.replace("CronPattern contains ", "").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Micros {
        Micros::parse(text).unwrap()
    }

    fn cron(expression: &str, zone: &str) -> Cron {
        Cron::new(expression, zone).unwrap()
    }

    /// As many as there are behind `after` until `until`, there and included.
    fn ticks(cron: &Cron, after: &str, until: &str) -> Vec<String> {
        let (mut now, mut found) = (at(after), Vec::new());
        while let Some(next) = cron.next(now).filter(|next| *next <= at(until)) {
            found.push(next.rfc3339());
            now = next;
        }
        found
    }

    #[test]
    fn a_tick_is_a_moment_of_the_places_clock() {
        let daily = cron("30 3 * * *", "Europe/Berlin");
        // Winter and summer.
        assert_eq!(daily.next(at("2026-01-10T12:00:00Z")), Some(at("2026-01-11T02:30:00Z")));
        assert_eq!(daily.next(at("2026-07-10T12:00:00Z")), Some(at("2026-07-11T01:30:00Z")));
        assert_eq!(daily.local(at("2026-07-11T01:30:00Z")), "2026-07-11 03:30:00 +02:00");
        let seconds = cron("*/20 * * * * *", "UTC");
        assert_eq!(seconds.next(at("2026-01-10T12:00:00.5Z")), Some(at("2026-01-10T12:00:20Z")));
        let workday = cron("0 9 * * MON-FRI", "America/New_York");
        assert_eq!(workday.next(at("2026-11-27T15:00:00Z")), Some(at("2026-11-30T14:00:00Z")));
        assert_eq!(
            cron("@daily", "UTC").next(at("2026-02-28T00:00:00Z")),
            Some(at("2026-03-01T00:00:00Z"))
        );
    }

    #[test]
    fn what_the_clock_passes_over_in_spring_happens_once_as_the_gap_ends() {
        // In Berlin the clock goes from 02:00 to 03:00, which is 01:00 in UTC.
        let (after, until) = ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
        let once = |expression| ticks(&cron(expression, "Europe/Berlin"), after, until);
        assert_eq!(once("30 2 * * *"), ["2026-03-29T01:00:00Z"]);
        assert_eq!(once("0,15,30 2,15 * * *").len(), 4, "the three of the gap are one");
        assert_eq!(once("30 2,3 * * *"), ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
        assert_eq!(once("0 */2 * * *")[6..8], ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]);
        // Every hour that passes has one, and the one that isn't there has none.
        let hourly = once("30 * * * *");
        assert_eq!(hourly.len(), 24);
        assert_eq!(hourly[12..14], ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]);
    }

    #[test]
    fn what_the_clock_shows_twice_in_autumn_happens_the_first_time() {
        // In Berlin the clock goes from 03:00 back to 02:00, which is 01:00 in UTC.
        let (after, until) = ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
        let once = |expression| ticks(&cron(expression, "Europe/Berlin"), after, until);
        assert_eq!(once("30 2 * * *"), ["2026-10-25T00:30:00Z"]);
        assert_eq!(once("0,30 2,3 * * *")[..2], ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"]);
        assert_eq!(once("0,30 2,3 * * *").len(), 4);
        // In the second showing all of the first are behind.
        let half = cron("30 2 * * *", "Europe/Berlin");
        assert_eq!(half.next(at("2026-10-25T01:10:00Z")), Some(at("2026-10-26T01:30:00Z")));
        assert_eq!(half.last(at("2026-10-25T01:10:00Z")), Some(at("2026-10-25T00:30:00Z")));
        // Every hour that passes has one: none is silent.
        assert_eq!(once("30 * * * *").len(), 24);
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        let refused = |expression| Cron::new(expression, "UTC").unwrap_err().to_string();
        for (expression, told) in [
            ("* * *", "has 3"),
            ("* * * * * * *", "has 7"),
            ("0 25 * * *", "the hour, `25` at character 3: "),
            ("0  3 * FEB,XYZ *", "the month, `FEB,XYZ` at character 8: "),
            ("61 * * * * *", "the second, `61` at character 1: "),
            ("1,,2 * * * *", "the minute, `1,,2` at character 1: "),
            ("5-1 * * * *", "the minute, `5-1` at character 1: "),
            ("*/0 * * * *", "the minute, `*/0` at character 1: "),
            ("0 0 30 2 *", "never"),
            ("@sometimes", "`@sometimes` is none of @yearly"),
            ("@daily * * * *", "the minute, `@daily` at character 1: "),
        ] {
            assert!(refused(expression).contains(told), "{expression}: {}", refused(expression));
        }
        assert_eq!(refused(&"*".repeat(201)), "at most 200 characters");
        let zone = Cron::new("* * * * *", "Europe/Berlln").unwrap_err();
        assert_eq!(zone, BadCron::Zone("Europe/Berlln".into()));
    }

    fn expressions() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "30 2 * * *",
            "*/7 1-3 * * *",
            "*/10 * * * *",
            "0 0,2,3 * * SUN",
            "15 */3 L * *",
            "*/15 59 1 * * *",
        ])
    }

    fn zones() -> impl Strategy<Value = &'static str> {
        // The last one turns its clock by half an hour.
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
        ])
    }

    proptest! {
        #[test]
        fn forth_and_back_meet_the_same_ticks(
            expression in expressions(),
            zone in zones(),
            // Two years, so that clocks are turned.
            now in 1_767_225_600_000_000_i64..1_830_384_000_000_000,
        ) {
            let cron = cron(expression, zone);
            let next = cron.next(Micros(now)).unwrap();
            prop_assert!(next.0 > now);
            prop_assert_eq!(cron.last(next), Some(next));
            let last = cron.last(Micros(now)).unwrap();
            prop_assert!(last.0 <= now);
            prop_assert_eq!(cron.last(Micros(next.0 - 1)), Some(last), "none lies between");
            prop_assert_eq!(cron.next(last), Some(next));
        }
    }
}
