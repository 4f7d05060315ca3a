//! The API's description (OpenAPI 3.1), made from the same lists that serve it.

use crate::{
    domain::policy::GUEST,
    http::{
        access::Access,
        app::App,
        cookie::Cookie,
        error::{Code, ProblemBody},
        extract::{Param, Takes},
        headers, once,
        page::{Keep, Page},
        resource::{Answer, Asked, Intake, Operation as Served, Resource},
        routes,
    },
};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use utoipa::{
    ToSchema,
    openapi::{
        ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder,
        PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
        path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
        request_body::RequestBodyBuilder,
        schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// What an answer or body looks like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    media: &'static str,
    /// `None`: bytes of that kind.
    schema: Option<fn(&mut Schemas) -> RefOr<Schema>>,
}

impl Shape {
    fn content(&self, schemas: &mut Schemas) -> utoipa::openapi::Content {
        let schema = self.schema.map(|schema| schema(schemas));
        ContentBuilder::new().schema(schema).build()
    }
}

pub(crate) fn json<T: ToSchema>() -> Shape {
    Shape { media: "application/json", schema: Some(named::<T>) }
}

/// Text or bytes of another kind.
pub(crate) fn media(media: &'static str) -> Shape {
    Shape { media, schema: None }
}

fn named<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    Ref::from_schema_name(T::name()).into()
}

/// What the description says of an operation beyond what its list entry holds.
pub(crate) struct Doc {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    about: &'static str,
    places: Vec<Param>,
    body: Vec<Shape>,
    answers: Vec<(u16, &'static str, Option<Shape>)>,
    problems: Vec<Code>,
}

impl Doc {
    pub(crate) fn new(id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        let (places, body, answers, problems) = (vec![], vec![], vec![], vec![]);
        Self { id, tag, summary, about: "", places, body, answers, problems }
    }

    pub(crate) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// A place in the path, in order.
    pub(crate) fn place(mut self, place: Param) -> Self {
        self.places.push(place);
        self
    }

    pub(crate) fn body(mut self, shape: Shape) -> Self {
        self.body.push(shape);
        self
    }

    pub(crate) fn answer(mut self, status: u16, about: &'static str, shape: Shape) -> Self {
        self.answers.push((status, about, Some(shape)));
        self
    }

    /// An answer without a body.
    pub(crate) fn bare(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push((status, about, None));
        self
    }

    pub(crate) fn problem(mut self, code: Code) -> Self {
        self.problems.push(code);
        self
    }
}

pub(crate) fn resources() -> Vec<Resource> {
    vec![Resource::new(
        "/openapi.json",
        [Served::new(Method::GET, Access::Anyone, &[], |app, asked| show(app, asked))],
    )]
}

fn show(app: Arc<App>, asked: Asked) -> Answer {
    Box::pin(async move {
        let json = serde_json::to_vec(&describe(&app.config.origin())).unwrap_or_default();
        let extra = headers::of_data(&app.config);
        let page = Page::new("application/json", json.into(), Keep::Revalidate, &extra);
        Ok(page.answer(&asked.method, &asked.headers))
    })
}

/// The whole document.
pub(crate) fn describe(origin: &str) -> OpenApi {
    let mut schemas = Schemas::new();
    let problem = named::<ProblemBody<'_>>(&mut schemas);
    let mut paths = PathsBuilder::new();
    for resource in routes::all() {
        for operation in &resource.operations {
            let Some(doc) = &operation.doc else { continue };
            let described = operation_of(operation, doc, &problem, &mut schemas);
            let item = PathItem::new(method(&operation.method), described);
            paths = paths.path(resource.path, item);
        }
    }
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "The administrator's token, `run/admin.token` in the data folder. Requests over the \
         server's own socket need none.",
    ));
    let session = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session's token, from `POST /api/v1/sessions`, or an API key."));
    let cookie = ApiKeyValue::with_description(
        Cookie::Session.name(true, 443),
        "A browser's session. Changes must then come from a page of the shop's own, by `Origin` \
         or `Sec-Fetch-Site`. On plain HTTP the cookie is called `stoa-` and the port."
            .to_owned(),
    );
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("admin", SecurityScheme::Http(token.build()))
        .security_scheme("token", SecurityScheme::Http(session.build()))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let info = InfoBuilder::new()
        .title("Stoa")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Browse and search the catalogue, import products, watch and tune the server. Lists \
             page by an opaque cursor; errors are `application/problem+json` (RFC 9457); \
             unknown parameters are refused by name.",
        ))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([utoipa::openapi::Server::new(origin)]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn operation_of(
    operation: &Served,
    doc: &Doc,
    problem: &RefOr<Schema>,
    schemas: &mut Schemas,
) -> utoipa::openapi::path::Operation {
    let mut built =
        OperationBuilder::new().operation_id(Some(doc.id)).tag(doc.tag).summary(Some(doc.summary));
    if !doc.about.is_empty() {
        built = built.description(Some(doc.about));
    }
    for place in &doc.places {
        built = built.parameter(parameter(place, ParameterIn::Path));
    }
    for param in operation.params.iter().filter(|param| !param.is_prefix()) {
        built = built.parameter(parameter(param, ParameterIn::Query));
    }
    if operation.once {
        built = built.parameter(parameter(&once::PARAM, ParameterIn::Header));
    }
    if !doc.body.is_empty() {
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for shape in &doc.body {
            body = body.content(shape.media, shape.content(schemas));
        }
        built = built.request_body(Some(body.build()));
    }
    for (status, about, shape) in &doc.answers {
        let mut answer = ResponseBuilder::new().description(*about);
        if let Some(shape) = shape {
            answer = answer.content(shape.media, shape.content(schemas));
        }
        built = built.response(status.to_string(), answer.build());
    }
    for (status, about) in problems_of(operation, doc) {
        let content = ContentBuilder::new().schema(Some(problem.clone())).build();
        let answer =
            ResponseBuilder::new().description(about).content("application/problem+json", content);
        built = built.response(status.to_string(), answer.build());
    }
    for way in ways_in(operation.access).iter().copied() {
        built = built.security(match way {
            "" => SecurityRequirement::default(),
            way => SecurityRequirement::new(way, Vec::<String>::new()),
        });
    }
    built.build()
}

/// What a request may come with, by the schemes' names; an empty one: with nothing.
fn ways_in(access: Access) -> &'static [&'static str] {
    match access {
        Access::Anyone | Access::Signed => &[],
        Access::Shopper(right) if GUEST.contains(&right) => &["", "token", "cookie"],
        Access::Shopper(_) | Access::User(_) | Access::Buyer(_) => &["token", "cookie"],
        Access::Staff(_) => &["token", "cookie", "admin"],
        Access::Admin => &["admin"],
    }
}

/// The problems an operation may answer with, by status: those its entry brings with it and those
/// it names.
fn problems_of(operation: &Served, doc: &Doc) -> Vec<(u16, String)> {
    let mut codes = vec![Code::BadParameter, Code::UriTooLong, Code::Overloaded];
    if !matches!(operation.access, Access::Anyone | Access::Signed) {
        codes.push(Code::Unauthorized);
    }
    if !matches!(operation.access, Access::Anyone | Access::Signed | Access::Admin) {
        codes.push(Code::Forbidden);
        if !operation.method.is_safe() {
            codes.push(Code::Forged);
        }
    }
    if !doc.places.is_empty() {
        codes.push(Code::NotFound);
    }
    if operation.takes != Intake::Nothing {
        codes.extend([Code::BadBody, Code::BodyTooLarge, Code::UnsupportedMediaType]);
    }
    if operation.takes == Intake::Json {
        codes.push(Code::BadContent);
    }
    if operation.once {
        codes.extend([Code::BadIdempotencyKey, Code::KeyInFlight, Code::KeyReused]);
    }
    codes.extend(&doc.problems);
    let mut by_status: Vec<(u16, String)> = Vec::new();
    codes.sort_by_key(|code| code.status());
    for code in codes {
        let status = code.status().as_u16();
        match by_status.last_mut() {
            Some((last, titles)) if *last == status => {
                if !titles.contains(code.title()) {
                    titles.push_str("; ");
                    titles.push_str(code.title());
                }
            }
            _ => by_status.push((status, code.title().to_owned())),
        }
    }
    by_status
}

fn parameter(param: &Param, place: ParameterIn) -> Parameter {
    let is_path = matches!(place, ParameterIn::Path);
    let required = if param.required || is_path { Required::True } else { Required::False };
    // The place first: utoipa begins with `path`, and in a path everything is required.
    let mut built = ParameterBuilder::new()
        .name(param.name)
        .parameter_in(place)
        .required(required)
        .description(Some(param.about));
    let schema: RefOr<Schema> = match param.takes {
        Takes::SomeOf(known) => {
            built = built.style(Some(ParameterStyle::Form)).explode(Some(false));
            let one = ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(known.iter().copied()));
            ArrayBuilder::new().items(one).min_items(Some(1)).into()
        }
        takes if param.most > 1 => {
            ArrayBuilder::new().items(schema_of(takes, false)).max_items(Some(param.most)).into()
        }
        takes => schema_of(takes, is_path).into(),
    };
    built.schema(Some(schema)).build()
}

fn schema_of(takes: Takes, path: bool) -> utoipa::openapi::schema::Object {
    let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    let object = match takes {
        Takes::Text { most } => text().max_length(Some(most)).min_length(path.then_some(1)),
        Takes::Formed { most, pattern } => text().max_length(Some(most)).pattern(Some(pattern)),
        Takes::Integer { least, most, default } => ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .minimum(Some(least as f64))
            .maximum(Some(most as f64))
            .default(Some(json!(default))),
        Takes::Amount => text().pattern(Some(r"^[0-9]{1,9}(\.[0-9]{1,2})?$")),
        Takes::Flag => ObjectBuilder::new().schema_type(SchemaType::new(Type::Boolean)),
        Takes::OneOf(known) | Takes::SomeOf(known) => {
            text().enum_values(Some(known.iter().copied()))
        }
    };
    object.build()
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_api_is_described_and_named_once() {
        let mut ids = Vec::new();
        for resource in routes::all() {
            for operation in &resource.operations {
                let place = format!("{} {}", operation.method, resource.path);
                let api = resource.path.starts_with("/api/") || resource.path.starts_with("/ops/");
                match &operation.doc {
                    Some(doc) => ids.push(doc.id),
                    None => assert!(!api, "{place} is not described"),
                }
                let places = resource.path.matches('{').count();
                let told = operation.doc.as_ref().map_or(places, |doc| doc.places.len());
                assert_eq!(places, told, "{place}");
            }
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn what_an_administrator_may_do_is_marked_so() {
        let document = serde_json::to_value(describe("http://localhost")).unwrap();
        let import = &document["paths"]["/api/v1/imports"]["post"];
        assert!(import["security"][0]["admin"].is_array(), "{import}");
        assert!(import["responses"]["401"].is_object());
        assert!(document["paths"]["/api/v1/products"]["get"]["security"].is_null());
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn only_what_must_come_is_required() {
        let document = serde_json::to_value(describe("http://localhost")).unwrap();
        let parameters = &document["paths"]["/api/v1/search/suggestions"]["get"]["parameters"];
        assert_eq!(
            (&parameters[0]["name"], &parameters[0]["required"]),
            (&json!("q"), &json!(true))
        );
        assert_eq!(parameters[1]["required"], false);
        let place = &document["paths"]["/api/v1/products/{sku}"]["get"]["parameters"][0];
        assert_eq!((&place["in"], &place["required"]), (&json!("path"), &json!(true)));
    }

    #[test]
    fn every_schema_that_is_referred_to_is_there() {
        let text = serde_json::to_string(&describe("http://localhost")).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
