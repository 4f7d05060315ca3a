//! What holds for every page, tried on all of them at once.

mod accounts;
mod carts;
mod mails;
mod pages;
mod sheets;
mod shop;
