//! The edge: HTTP in, answers out. Nothing of the shop is decided here.
//!
//! A request goes from [`serve()`] (the accept loop, a child of the tree) through [`Edge`] (names
//! it, asks the page cache, leads it to its module) to a module's resource, which asks read ports
//! and handles of actors, and back. What it promises: every connection, head, body, wait and queue
//! has a bound, and who is over it is told so; an answer is never older than the last invalidation
//! that its cache was told of; nothing but browsing is open to everybody; what was made for one visitor
//! is kept by nobody but them.
//!
//! If it dies its connections are cut and its supervisor starts it again on the same listeners. No
//! state is lost: the cache is only a copy.

mod access;
mod accounting;
mod admin;
mod api;
mod app;
mod audit;
mod body;
mod cache;
mod carting;
mod client;
mod config;
mod cookie;
mod cursor;
mod edge;
mod error;
mod extract;
mod flight;
mod forgery;
mod form;
mod guard;
mod handles;
mod headers;
mod health;
mod hot;
mod identity;
mod importing;
mod jobs;
mod mailing;
mod maintenance;
mod manual;
mod metrics;
mod once;
mod openapi;
mod ops;
mod ordering;
mod page;
mod patience;
mod personal;
mod pooling;
mod question;
mod render;
mod resource;
mod routes;
mod ruling;
mod schedules;
mod searching;
mod serve;
mod shop;
mod stage;
#[cfg(test)]
mod tests;
mod visit;
mod visiting;
mod webhooks;

pub(crate) use access::AdminToken;
pub(crate) use api::events::Streams;
pub(crate) use app::{App, Cards, ShellCache};
pub(crate) use cache::PageCache;
pub(crate) use client::Trusted;
pub(crate) use config::HttpConfig;
pub(crate) use edge::Edge;
pub(crate) use handles::{Check, Viewing};
pub(crate) use metrics::install as install_metrics;
pub(crate) use render::{Render, RenderJob, RenderWorker};
pub(crate) use serve::{Listeners, bind_local, serve};
pub(crate) use stage::Stage;
