//! `/account/addresses`: the address book of one's customer.

use super::Shown;
use crate::{
    actors::keepers::accounts::AddressWish,
    domain::{account::SavedAddress, address::AddressDraft, id::AddressId, policy::Right},
    http::{
        access::Access,
        api::address_problem,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        form::Form,
        resource::{Asked, Operation, Resource},
        shop::cart::see_other,
    },
    views::{self, AddressCard, AddressForm},
};
use std::sync::Arc;
use warp::reply::Response;

const DONE: &[Param] =
    &[Param::new("done", Takes::OneOf(&["saved", "deleted"]), "What was just done.")];
const FIELDS: &[&str] = &[
    "name",
    "company",
    "street",
    "street_more",
    "postcode",
    "city",
    "region",
    "country",
    "phone",
    "default_shipping",
    "default_billing",
];

pub(super) fn resources() -> Vec<Resource> {
    let (read, write) = (Access::Buyer(Right::AccountRead), Access::Buyer(Right::AddressesWrite));
    vec![
        Resource::new(
            "/account/addresses",
            [
                Operation::personal(read, DONE, |a, b| Box::pin(show_list(a, b))),
                Operation::form(write, |a, b| Box::pin(add(a, b))),
            ],
        ),
        Resource::new(
            "/account/addresses/{id}",
            [
                Operation::personal(write, &[], |a, b| Box::pin(show_one(a, b))),
                Operation::form(write, |a, b| Box::pin(change(a, b))),
            ],
        ),
        // The last one is tried first, and `new` is no id.
        Resource::new(
            "/account/addresses/new",
            [Operation::personal(write, &[], |a, b| Box::pin(show_blank(a, b)))],
        ),
    ]
}

async fn show_list(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let found = app.accounts.addresses(asked.visit.must_act_for()?).await?;
    let cards: Vec<_> = found.iter().map(AddressCard::of).collect();
    let may_change = asked.visit.must_have()?.rights().has(Right::AddressesWrite);
    let done = asked.query.text("done").and_then(|done| match done {
        "saved" => Some("The address is saved."),
        "deleted" => Some("The address is deleted."),
        _ => None,
    });
    let shown = Shown::new(&app, &mut asked, done, Vec::new()).await?;
    Ok(shown.answer(&app, &asked, views::addresses(&shown.frame(), &cards, may_change)))
}

async fn show_blank(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    // Most parcels go to whoever orders them.
    let user = asked.visit.must_have()?.user().ok_or_else(Problem::not_found)?;
    let name = app.accounts.account(user).await?.name;
    let shown = Shown::new(&app, &mut asked, None, vec![("name", name)]).await?;
    let form = AddressForm { id: None };
    Ok(shown.answer(&app, &asked, views::address(&shown.frame(), &shown.filled, &form)))
}

async fn show_one(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let saved = app.accounts.address(asked.visit.must_act_for()?, id(&asked)?).await?;
    let shown = Shown::new(&app, &mut asked, None, values(&saved)).await?;
    let id = saved.id.to_string();
    let form = AddressForm { id: Some(&id) };
    Ok(shown.answer(&app, &asked, views::address(&shown.frame(), &shown.filled, &form)))
}

async fn add(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    save(&app, asked, None).await
}

async fn change(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = id(&asked)?;
    match asked.form.text("do") {
        "delete" => {
            app.accounts.drop_address(asked.visit.must_act_for()?, id).await?;
            Ok(see_other("/account/addresses?done=deleted"))
        }
        "save" => save(&app, asked, Some(id)).await,
        _ => Err(Problem::new(Code::BadContent, "the form says nothing to do")),
    }
}

async fn save(app: &App, mut asked: Asked, id: Option<AddressId>) -> Result<Response, Problem> {
    let customer = asked.visit.must_act_for()?;
    let saved = match wish(&asked.form) {
        Ok(wish) => app.accounts.put_address(customer, id, wish).await,
        Err(problem) => Err(problem),
    };
    let Err(problem) = saved else { return Ok(see_other("/account/addresses?done=saved")) };
    let shown = Shown::wrong(app, &mut asked, FIELDS, problem).await?;
    let id = id.map(|id| id.to_string());
    let form = AddressForm { id: id.as_deref() };
    Ok(shown.answer(app, &asked, views::address(&shown.frame(), &shown.filled, &form)))
}

fn wish(form: &Form) -> Result<AddressWish, Problem> {
    Ok(AddressWish {
        address: form.address("").check().map_err(|problems| address_problem("", problems))?,
        default_shipping: form.has("default_shipping"),
        default_billing: form.has("default_billing"),
    })
}

fn values(saved: &SavedAddress) -> Vec<(&'static str, String)> {
    let draft = AddressDraft::from(saved.address.clone());
    let tick = |yes: bool| if yes { "true".to_owned() } else { String::new() };
    vec![
        ("name", draft.name),
        ("company", draft.company),
        ("street", draft.street),
        ("street_more", draft.street_more),
        ("postcode", draft.postcode),
        ("city", draft.city),
        ("region", draft.region),
        ("country", draft.country),
        ("phone", draft.phone),
        ("default_shipping", tick(saved.default_shipping)),
        ("default_billing", tick(saved.default_billing)),
    ]
}

fn id(asked: &Asked) -> Result<AddressId, Problem> {
    asked.path[0].parse().map_err(|_| Problem::not_found())
}
