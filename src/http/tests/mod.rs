//! Journeys through the edge over real connections, with stand-ins for what lies behind it.

mod accounts;
mod admin;
mod api;
mod carts;
mod events;
mod files;
mod jobs;
mod limits;
mod maintenance;
mod orders;
mod pages;
mod quotes;
mod rules;
mod schedules;
mod sessions;
mod shop;
mod visitors;
mod webhooks;
