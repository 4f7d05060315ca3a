//! Every resource there is, module by module.

use crate::http::{
    admin, api, audit, health, jobs, mailing, maintenance, manual, openapi, ops,
    resource::Resource, schedules, shop, webhooks,
};

pub(crate) fn all() -> Vec<Resource> {
    [
        shop::resources(),
        admin::resources(),
        api::resources(),
        ops::resources(),
        audit::resources(),
        mailing::resources(),
        jobs::resources(),
        schedules::resources(),
        webhooks::resources(),
        maintenance::resources(),
        health::resources(),
        openapi::resources(),
        manual::resources(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::policy::GUEST, http::access::Access};
    use http::Method;

    /// Written out on purpose: opening an address to everybody must change a line here too.
    #[test]
    fn everybody_may_browse_and_nothing_else() {
        let mut open: Vec<String> = Vec::new();
        let mut guests: Vec<String> = Vec::new();
        let mut signed: Vec<String> = Vec::new();
        for resource in all() {
            for operation in resource.operations {
                let place = format!("{} {}", operation.method, resource.path);
                match operation.access {
                    Access::Anyone => {
                        assert_eq!(operation.method, Method::GET, "{place}");
                        open.push(resource.path.to_owned());
                    }
                    Access::Signed => signed.push(place),
                    Access::Shopper(right) if GUEST.contains(&right) => guests.push(place),
                    _ => {}
                }
            }
        }
        assert_eq!(signed, ["POST /api/v1/webhooks/payments/{provider}"]);
        open.sort();
        guests.sort();
        assert_eq!(
            guests,
            [
                "DELETE /api/v1/carts/{id}",
                "DELETE /api/v1/carts/{id}/lines/{sku}",
                "DELETE /api/v1/sessions/{id}",
                "GET /admin/setup",
                "GET /api/v1/carts",
                "GET /api/v1/carts/{id}",
                "GET /api/v1/carts/{id}/changes",
                "GET /api/v1/carts/{id}/lines",
                "GET /api/v1/orders",
                "GET /api/v1/orders/{id}",
                "GET /api/v1/products/{sku}/price",
                "GET /api/v1/quotes",
                "GET /api/v1/quotes/{id}",
                "GET /cart",
                "GET /cart/list/{id}",
                "GET /cart/quick",
                "GET /cart/summary",
                "GET /checkout",
                "GET /forgot",
                "GET /login",
                "GET /orders/{id}",
                "GET /register",
                "GET /reset",
                "PATCH /api/v1/carts/{id}",
                "PATCH /api/v1/carts/{id}/lines/{sku}",
                "POST /admin/setup",
                "POST /api/v1/card-tokens",
                "POST /api/v1/carts",
                "POST /api/v1/carts/{id}/acknowledge",
                "POST /api/v1/carts/{id}/lines",
                "POST /api/v1/carts/{id}/lines/batch",
                "POST /api/v1/carts/{id}/lines/{sku}/move",
                "POST /api/v1/checkout/review",
                "POST /api/v1/checkout/shipping",
                "POST /api/v1/customers",
                "POST /api/v1/orders",
                "POST /api/v1/orders/{id}/cancel",
                "POST /api/v1/password-resets",
                "POST /api/v1/sessions",
                "POST /api/v1/setup",
                "POST /cart/acknowledge",
                "POST /cart/add",
                "POST /cart/change",
                "POST /cart/lists",
                "POST /cart/quick",
                "POST /checkout/address",
                "POST /checkout/payment",
                "POST /checkout/place",
                "POST /checkout/start",
                "POST /forgot",
                "POST /login",
                "POST /logout",
                "POST /orders/{id}/again",
                "POST /orders/{id}/cancel",
                "POST /register",
                "POST /reset",
                "PUT /api/v1/password-resets",
            ]
        );
        assert_eq!(
            open,
            [
                "/",
                "/api/v1/categories",
                "/api/v1/categories/{slug}",
                "/api/v1/products",
                "/api/v1/products/{sku}",
                "/api/v1/search",
                "/api/v1/search/suggestions",
                "/assets/{file}",
                "/c/{slug}",
                "/docs",
                "/docs/problems",
                "/docs/problems/{code}",
                "/files/{file}",
                "/livez",
                "/media/demo/{family}/{seed}.svg",
                "/media/placeholder/{sku}.svg",
                "/openapi.json",
                "/p/{slug}",
                "/readyz",
                "/robots.txt",
                "/search",
                "/search/suggest",
                "/sitemap.xml",
                "/sitemap/{part}.xml",
                "/startupz",
            ]
        );
    }
}
