//! The layers of a configuration as nconf keeps and merges them: Ghost's loader is nconf, and its habits (a key is a path
//! with `:` in it, objects merge, arrays and plain values replace) decide what wins.

use serde_json::{Map, Value};

use super::Source;

/// One store of nconf's, with the name that people know it by.
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) values: Value,
    /// Who wrote what into a store that several wrote into, the last one last.
    pub(super) parts: Vec<Layer>,
}

impl Layer {
    pub(super) fn new(source: Source, values: Value) -> Self {
        Self {
            source,
            values,
            parts: Vec::new(),
        }
    }

    pub(super) fn empty(source: Source) -> Self {
        Self::new(source, Value::Object(Map::new()))
    }

    /// nconf's `set`: makes the objects on the way, and replaces what is no object there.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        set(&mut self.values, key, value);
    }

    /// The same, by one of several writers.
    pub(super) fn set_by(&mut self, writer: Source, key: &str, value: Value) {
        let mut part = Self::empty(writer);
        part.set(key, value.clone());
        self.parts.push(part);
        self.set(key, value);
    }

    fn source_of(&self, key: &str) -> Option<&Source> {
        find(&self.values, key)?;
        let writer = self.parts.iter().rev().find_map(|part| part.source_of(key));
        Some(writer.unwrap_or(&self.source))
    }
}

/// The layers, the one that wins first.
#[derive(Default)]
pub(super) struct Layers(pub(super) Vec<Layer>);

impl Layers {
    /// nconf's `get`: the first plain value, or all objects merged, the first layer on top.
    pub(super) fn get(&self, key: &str) -> Option<Value> {
        let mut objects = Vec::new();
        let mut plain = None;
        for layer in &self.0 {
            match find(&layer.values, key) {
                None => {}
                Some(Value::Object(object)) => objects.push(object),
                Some(value) => {
                    plain = Some(value.clone());
                    break;
                }
            }
        }
        if objects.is_empty() {
            return plain;
        }
        let mut merged = Value::Object(Map::new());
        for object in objects.into_iter().rev() {
            for (key, value) in object {
                merge(&mut merged, key, value);
            }
        }
        Some(merged)
    }

    /// Which layer a value comes from: the first that has it.
    pub(super) fn source(&self, key: &str) -> Option<&Source> {
        self.0.iter().find_map(|layer| layer.source_of(key))
    }
}

fn find<'v>(values: &'v Value, key: &str) -> Option<&'v Value> {
    key.split(':').try_fold(values, |at, name| match at {
        Value::Object(object) => object.get(name),
        Value::Array(array) => array.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

fn set(values: &mut Value, key: &str, value: Value) {
    let (path, last) = match key.rsplit_once(':') {
        Some((path, last)) => (path.split(':').collect(), last),
        None => (Vec::new(), key),
    };
    let mut at = values;
    for name in path {
        let Some(object) = object(at) else { return };
        at = object.entry(name.to_owned()).or_insert(Value::Null);
        if !at.is_object() && !at.is_array() {
            *at = Value::Object(Map::new());
        }
    }
    if let Some(object) = object(at) {
        object.insert(last.to_owned(), value);
    }
}

/// The object at a place. A property of an array has no effect that could be shown in JSON, so it is left out.
fn object(at: &mut Value) -> Option<&mut Map<String, Value>> {
    at.as_object_mut()
}

fn merge(values: &mut Value, key: &str, value: &Value) {
    let Value::Object(new) = value else {
        return set(values, key, value.clone());
    };
    match find(values, key) {
        Some(Value::Object(_) | Value::Null) => {
            for (name, nested) in new {
                merge(values, &format!("{key}:{name}"), nested);
            }
        }
        Some(_) | None => set(values, key, value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layers(values: &[Value]) -> Layers {
        let layer = |value: &Value| Layer::new(Source::Defaults, value.clone());
        Layers(values.iter().map(layer).collect())
    }

    #[test]
    fn objects_merge_and_the_first_layer_wins() {
        let layers = layers(&[
            json!({"database": {"connection": {"host": "a"}}}),
            json!({"database": {"client": "mysql", "connection": {"host": "b", "user": "root"}}}),
        ]);
        assert_eq!(
            layers.get("database"),
            Some(json!({"client": "mysql", "connection": {"host": "a", "user": "root"}}))
        );
        assert_eq!(layers.get("database:connection:host"), Some(json!("a")));
        assert_eq!(layers.get("database:connection:port"), None);
    }

    #[test]
    fn arrays_and_plain_values_replace() {
        let layers = layers(&[
            json!({"database": {"connection": {"ssl": [{"rejectUnauthorized": true}]}}}),
            json!({"database": {"connection": {"ssl": {"ca": "x"}}}}),
        ]);
        assert_eq!(
            layers.get("database:connection"),
            Some(json!({"ssl": [{"rejectUnauthorized": true}]}))
        );
    }

    #[test]
    fn a_key_is_a_path_and_what_is_in_the_way_gives_way() {
        let mut layer = Layer::empty(Source::Defaults);
        layer.set("database:connection", json!("text"));
        layer.set("database:connection:host", json!("a"));
        layer.set("plain", json!(1));
        assert_eq!(
            layer.values,
            json!({"database": {"connection": {"host": "a"}}, "plain": 1})
        );
    }
}
