//! The OpenAPI 3.1 document, made from the list of routes and the types' schemas.

use axum::Json;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::routes::{self, Route};
use super::types::{PROBLEM_CONTENT_TYPE, Problem};

pub(super) async fn document() -> Json<Value> {
    Json(build())
}

/// The document.
#[must_use]
pub fn build() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in routes::all() {
        let answer = (route.answer)(&mut generator);
        let body = route.body.map(|body| body(&mut generator));
        let operation = operation(&route, &json!(answer), body.map(|body| json!(body)), &json!(problem));
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "pangate-mgmt",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Approvals, policy and evidence of pangate. Times are Unix milliseconds.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT of an issuer in the policy"},
            },
        },
    })
}

fn operation(route: &Route, answer: &Value, body: Option<Value>, problem: &Value) -> Value {
    let mut parameters: Vec<Value> = route
        .query
        .iter()
        .map(|(name, kind, meaning)| {
            json!({"name": name, "in": "query", "description": meaning, "schema": {"type": kind}})
        })
        .collect();
    if route.path.contains("{id}") {
        let schema = json!({"type": "string", "pattern": "^[0-9a-fA-F]{32}$"});
        parameters.push(json!({"name": "id", "in": "path", "required": true, "schema": schema}));
    }
    let mut operation = json!({
        "summary": route.summary,
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": answer}}},
            "default": {"description": "Not done.", "content": {PROBLEM_CONTENT_TYPE: {"schema": problem}}},
        },
    });
    let Some(fields) = operation.as_object_mut() else { return operation };
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    if !route.who.is_empty() {
        fields.insert("description".to_owned(), format!("Who may: {}.", route.who).into());
        fields.insert("security".to_owned(), json!([{"token": []}]));
    }
    if let Some(body) = body {
        let body = json!({"required": true, "content": {"application/json": {"schema": body}}});
        fields.insert("requestBody".to_owned(), body);
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_in_the_document_and_every_reference_leads_somewhere() {
        let document = build();
        for route in routes::all() {
            let operation = &document["paths"][route.path][route.method];
            assert!(operation["summary"].is_string(), "{} {}", route.method, route.path);
            assert_eq!(operation["security"].is_array(), !route.who.is_empty());
        }
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let pointer = reference.strip_prefix('#').expect("a reference inside the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn what_anybody_may_call_without_a_token_is_known_one_by_one() {
        let open: Vec<&str> =
            routes::all().iter().filter(|route| route.who.is_empty()).map(|route| route.path).collect();
        let expected = ["/healthz", "/openapi.json", "/dev/.well-known/openid-configuration", "/dev/jwks"];
        assert_eq!(open, expected);
    }
}
