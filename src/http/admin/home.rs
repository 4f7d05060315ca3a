//! `/admin`: what waits for somebody.

use super::{Shown, may};
use crate::{
    domain::policy::Permission,
    http::{
        access::Access,
        app::App,
        error::Problem,
        resource::{Asked, Operation, Resource},
    },
    ports::orders::OrderFilter,
    views::admin::{AdminHome, home},
};
use std::sync::Arc;
use warp::reply::Response;

pub(super) const HERE: &str = "/admin";
/// What everybody has who works here.
pub(super) const NEEDS: Permission = Permission::CatalogueRead;

const LATEST: u32 = 8;
const LOW: u32 = 8;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::new(
        HERE,
        [Operation::personal(Access::Staff(NEEDS), &[], |a, b| Box::pin(show(a, b)))],
    )]
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (mut open, mut latest) = (None, None);
    if may(&asked, Permission::OrdersRead) {
        open = Some(app.orders.open().await?);
        latest = Some(app.orders.list(OrderFilter::default(), None, LATEST).await?);
    }
    let low = app.stocks.low(&app.scope, LOW).await?;
    let page = AdminHome { open: open.as_deref(), latest: latest.as_deref(), low: Some(&low) };
    let shown = Shown::new(&app, &mut asked, HERE).await?;
    Ok(shown.answer(&app, &asked, home(&shown.frame("Overview"), &page)))
}

#[cfg(test)]
mod tests {
    use super::NEEDS;
    use crate::domain::policy::StaffRole;

    #[test]
    fn whoever_works_here_may_come_in() {
        assert!(StaffRole::ALL.iter().all(|role| role.permissions().has(NEEDS)));
    }
}
