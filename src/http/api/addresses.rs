//! `/api/v1/me/addresses`: the address book of one's customer.

use super::{accounts::UUID, fresh, no_content};
use crate::{
    actors::keepers::accounts::{AddressWish, Making},
    domain::{
        account::SavedAddress,
        address::{Address, AddressDraft, AddressProblem},
        id::AddressId,
        policy::Right,
    },
    http::{
        access::Access,
        app::App,
        error::{Code, FieldError, Problem},
        extract::Param,
        once,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/me/addresses";
const ID: Param = Param::new("id", UUID, "The address' id.");

/// An address as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAddress {
    #[schema(max_length = 100)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    company: String,
    #[schema(max_length = 100)]
    street: String,
    /// Floor, door, care of.
    #[serde(default)]
    #[schema(max_length = 100)]
    street_more: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    postcode: String,
    #[schema(max_length = 100)]
    city: String,
    /// State or province.
    #[serde(default)]
    #[schema(max_length = 60)]
    region: String,
    /// ISO 3166-1, two letters.
    #[schema(min_length = 2, max_length = 2)]
    country: String,
    #[serde(default)]
    #[schema(max_length = 30)]
    phone: String,
    /// Goods go there unless something else is said.
    #[serde(default)]
    default_shipping: bool,
    /// Invoices do.
    #[serde(default)]
    default_billing: bool,
}

#[derive(Serialize, ToSchema)]
struct AddressList {
    items: Vec<AddressView>,
}

/// An address in the book; a field that isn't there is `null`.
#[derive(Serialize, ToSchema)]
pub(super) struct AddressView {
    id: Uuid,
    name: String,
    #[schema(required)]
    company: Option<String>,
    street: String,
    #[schema(required)]
    street_more: Option<String>,
    #[schema(required)]
    postcode: Option<String>,
    city: String,
    #[schema(required)]
    region: Option<String>,
    country: String,
    #[schema(required)]
    phone: Option<String>,
    default_shipping: bool,
    default_billing: bool,
    #[schema(format = DateTime)]
    updated_at: String,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "addresses";
    let (read, write) = (Access::Buyer(Right::AccountRead), Access::Buyer(Right::AddressesWrite));
    let list = Doc::new("list_addresses", tag, "The addresses of one's customer").answer(
        200,
        "All of them.",
        json::<AddressList>(),
    );
    let add = Doc::new("add_address", tag, "Put an address into the book")
        .about("The first one is where everything goes.")
        .body(json::<NewAddress>())
        .answer(201, "The address.", json::<AddressView>())
        .problem(Code::Conflict);
    let one = Doc::new("get_address", tag, "One address").place(ID).answer(
        200,
        "The address.",
        json::<AddressView>(),
    );
    let put = Doc::new("put_address", tag, "Write an address anew")
        .place(ID)
        .body(json::<NewAddress>())
        .answer(200, "The address as it is now.", json::<AddressView>());
    let drop = Doc::new("drop_address", tag, "Take an address out of the book")
        .about("Orders keep the address they were placed with.")
        .place(ID)
        .bare(204, "It is gone.");
    vec![
        Resource::new(
            ADDRESS,
            [
                Operation::new(Method::GET, read, &[], |a, b| Box::pin(show_list(a, b))).doc(list),
                Operation::new(Method::POST, write, &[], |a, b| Box::pin(add_one(a, b)))
                    .takes(Intake::Json)
                    .once()
                    .doc(add),
            ],
        ),
        Resource::new(
            "/api/v1/me/addresses/{id}",
            [
                Operation::new(Method::GET, read, &[], |a, b| Box::pin(show(a, b))).doc(one),
                Operation::new(Method::PUT, write, &[], |a, b| Box::pin(put_one(a, b)))
                    .takes(Intake::Json)
                    .doc(put),
                Operation::new(Method::DELETE, write, &[], |a, b| Box::pin(drop_one(a, b)))
                    .doc(drop),
            ],
        ),
    ]
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let found = app.accounts.addresses(asked.visit.must_act_for()?).await?;
    Ok(fresh(&app, &AddressList { items: found.iter().map(AddressView::of).collect() }))
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let found = app.accounts.address(asked.visit.must_act_for()?, id(&asked)?).await?;
    Ok(fresh(&app, &AddressView::of(&found)))
}

async fn add_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (customer, name) = (asked.visit.must_act_for()?, asked.name()?);
    let (wish, body) = asked.body.json_and_hash::<NewAddress>().await?;
    let answer = |address: &SavedAddress| {
        once::made(&AddressView::of(address), format!("{ADDRESS}/{}", address.id))
    };
    let making = Making { name, body, answer };
    Ok(once::respond(&app, app.accounts.add_address(customer, wish.check()?, making).await?))
}

async fn put_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (customer, id) = (asked.visit.must_act_for()?, id(&asked)?);
    let wish = asked.body.json::<NewAddress>().await?.check()?;
    let address = app.accounts.put_address(customer, Some(id), wish).await?;
    Ok(fresh(&app, &AddressView::of(&address)))
}

async fn drop_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    app.accounts.drop_address(asked.visit.must_act_for()?, id(&asked)?).await?;
    Ok(no_content(&app))
}

fn id(asked: &Asked) -> Result<AddressId, Problem> {
    asked.path[0].parse().map_err(|_| Problem::not_found())
}

/// All that is wrong with an address, each at its field.
pub(crate) fn address_problem(pointer: &str, problems: Vec<AddressProblem>) -> Problem {
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let errors = problems.into_iter().map(|problem| FieldError {
        pointer: Some(format!("{pointer}/{}", problem.field)),
        detail: problem.fault.to_string(),
        ..FieldError::default()
    });
    Problem { errors: errors.collect(), ..Problem::new(Code::BadContent, told) }
}

impl NewAddress {
    fn check(self) -> Result<AddressWish, Problem> {
        let Self { default_shipping, default_billing, .. } = self;
        let draft = AddressDraft {
            name: self.name,
            company: self.company,
            street: self.street,
            street_more: self.street_more,
            postcode: self.postcode,
            city: self.city,
            region: self.region,
            country: self.country,
            phone: self.phone,
        };
        let address = draft.check().map_err(|problems| address_problem("", problems))?;
        Ok(AddressWish { address, default_shipping, default_billing })
    }
}

impl AddressView {
    pub(super) fn of(saved: &SavedAddress) -> Self {
        let Address { name, company, street, street_more, postcode, city, region, country, phone } =
            saved.address.clone();
        Self {
            id: saved.id.0,
            name,
            company,
            street,
            street_more,
            postcode: postcode.map(|postcode| postcode.to_string()),
            city,
            region,
            country: country.code().to_owned(),
            phone,
            default_shipping: saved.default_shipping,
            default_billing: saved.default_billing,
            updated_at: saved.updated_at.rfc3339(),
        }
    }
}
