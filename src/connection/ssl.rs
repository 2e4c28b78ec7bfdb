//! mysql2's rules for `connection.ssl`: what it takes, what it refuses and with which words, and what it then checks.
//! They depend on its version.

use serde_json::Value;

use crate::ghost::Secret;

/// How the connection is to be encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificates to trust in place of Node's own; nothing where Node's count.
    pub ca: Option<Vec<String>>,
    /// Whether a certificate that leads to no trusted one ends the connection.
    pub reject_unauthorized: bool,
    /// Which name the certificate has to be for.
    pub identity: Identity,
    /// The certificate that Ghost shows, and its key.
    pub client: Option<ClientCertificate>,
    /// `minVersion` asks for no less than TLS 1.3.
    pub only_tls13: bool,
}

/// Which name the certificate has to be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Any: mysql2 does not look.
    NotChecked,
    /// The host as it is configured.
    Host,
    /// `localhost`, whatever the host: what Node checks where mysql2 gives it an address in numbers.
    Localhost,
}

/// A certificate of Ghost's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM.
    pub certificate: String,
    /// PEM.
    pub key: Secret,
}

impl ClientCertificate {
    /// Whether its key is encrypted. There is a passphrase then, and Node opens it.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        is_encrypted(self.key.expose())
    }
}

/// The written form of the value, which says what somebody meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Nothing, `false`, `null`, `0`.
    Off,
    /// An object.
    Object,
    /// An array: works, but what is in it does not count.
    Array,
    /// `true`.
    Boolean,
    /// A number.
    Number,
    /// A text that is no profile of mysql2's.
    Text,
    /// `Amazon RDS`.
    Profile,
}

/// The rules of a version of mysql2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Before 3.7.1 Node's own check of the host name stays on, whatever `verifyIdentity` says.
    pub always_identity: bool,
    /// From 3.15.3 on a host in numbers is no server name, and Node then checks for `localhost`.
    pub numbers_are_localhost: bool,
}

impl Rules {
    /// The newest that are known: mysql2 3.24.4.
    pub const NEWEST: Self = Self {
        always_identity: false,
        numbers_are_localhost: true,
    };

    /// Those of a version; the newest where it cannot be read.
    #[must_use]
    pub fn of(version: Option<&str>) -> Self {
        let Some(version) = version.and_then(|version| nodejs_semver::Version::parse(version).ok())
        else {
            return Self::NEWEST;
        };
        let version = (version.major(), version.minor(), version.patch());
        Self {
            always_identity: version < (3, 7, 1),
            numbers_are_localhost: version >= (3, 15, 3),
        }
    }
}

/// Which form a value has.
#[must_use]
pub fn form(value: &Value) -> Form {
    match value {
        Value::Null | Value::Bool(false) => Form::Off,
        Value::Number(number) if number.as_f64() == Some(0.0) => Form::Off,
        Value::Bool(true) => Form::Boolean,
        Value::Number(_) => Form::Number,
        Value::String(name) if name == "Amazon RDS" => Form::Profile,
        Value::String(_) => Form::Text,
        Value::Array(_) => Form::Array,
        Value::Object(_) => Form::Object,
    }
}

/// What mysql2 makes of the value, for this host.
///
/// # Errors
///
/// The words it throws, without the value itself, which may hold a key.
pub fn read(value: &Value, host: &str, rules: Rules) -> Result<Option<Tls>, String> {
    let nothing = serde_json::Map::new();
    let options = match form(value) {
        Form::Off => return Ok(None),
        Form::Boolean => {
            return Err("SSL profile must be an object, instead it's a boolean".to_owned());
        }
        Form::Number => {
            return Err("SSL profile must be an object, instead it's a number".to_owned());
        }
        Form::Text => return Err("Unknown SSL profile '…'".to_owned()),
        Form::Profile => {
            return Ok(Some(Tls {
                ca: None,
                reject_unauthorized: true,
                identity: identity(false, host, rules),
                client: None,
                only_tls13: false,
            }));
        }
        // What is in an array are no options: it is as good as an empty object.
        Form::Array => &nothing,
        Form::Object => value.as_object().unwrap_or(&nothing),
    };
    let reject_unauthorized = options.get("rejectUnauthorized") != Some(&Value::Bool(false));
    let verify = options.get("verifyIdentity").is_some_and(is_truthy);
    let identity = if reject_unauthorized {
        identity(verify, host, rules)
    } else {
        Identity::NotChecked
    };
    let minimum = match options.get("minVersion") {
        None | Some(Value::Null) => None,
        Some(Value::String(version))
            if ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"].contains(&version.as_str()) =>
        {
            Some(version.as_str())
        }
        Some(_) => return Err("\"…\" is not a valid minimum TLS protocol version".to_owned()),
    };
    Ok(Some(Tls {
        ca: authorities(options.get("ca"))?,
        reject_unauthorized,
        identity,
        client: client_certificate(options)?,
        only_tls13: minimum == Some("TLSv1.3"),
    }))
}

fn identity(verify: bool, host: &str, rules: Rules) -> Identity {
    let in_numbers = host.parse::<std::net::IpAddr>().is_ok();
    match (verify || rules.always_identity, in_numbers) {
        (false, _) => Identity::NotChecked,
        (true, true) if rules.numbers_are_localhost => Identity::Localhost,
        (true, _) => Identity::Host,
    }
}

/// `ca`: a text or several. One without a certificate in it is not an error there: then nothing is trusted.
fn authorities(value: Option<&Value>) -> Result<Option<Vec<String>>, String> {
    let wrong = |kind: &str| {
        Err(format!(
            "The \"options.ca\" property must be of type string or an instance of Buffer, TypedArray, or DataView. Received {kind}"
        ))
    };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(false)) => Ok(None),
        // Node takes an empty text for no `ca` at all.
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![text.clone()])),
        Some(Value::Array(several)) => several
            .iter()
            .map(|one| match one {
                Value::String(text) => Ok(text.clone()),
                _ => wrong("something else").map(|()| String::new()),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
        Some(Value::Bool(true)) => wrong("type boolean (true)").map(|()| None),
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(None),
        Some(Value::Number(_)) => wrong("type number").map(|()| None),
        Some(Value::Object(_)) => wrong("an instance of Object").map(|()| None),
    }
}

fn client_certificate(
    options: &serde_json::Map<String, Value>,
) -> Result<Option<ClientCertificate>, String> {
    let text = |name: &str| match options.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let (certificate, key) = (text("cert"), text("key"));
    if let Some(key) = &key {
        match options.get("passphrase") {
            None | Some(Value::Null) => {}
            Some(Value::String(passphrase)) if passphrase.is_empty() => {}
            Some(Value::String(_)) if is_encrypted(key) => return sealed(certificate, key),
            Some(Value::String(_)) => {}
            Some(_) => {
                return Err("The \"options.passphrase\" property must be of type string".to_owned());
            }
        }
        if is_encrypted(key) {
            return Err("Provider routines::bad decrypt".to_owned());
        }
    }
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Ok(None);
    };
    if !certificate.contains("-----BEGIN") || !key.contains("-----BEGIN") {
        return Err("PEM routines::no start line".to_owned());
    }
    Ok(Some(ClientCertificate {
        certificate,
        key: Secret::new(key),
    }))
}

/// A key that only its passphrase opens. Whether this is the one is not known here.
fn sealed(certificate: Option<String>, key: &str) -> Result<Option<ClientCertificate>, String> {
    let certificate = certificate.unwrap_or_default();
    if !certificate.is_empty() && !certificate.contains("-----BEGIN") {
        return Err("PEM routines::no start line".to_owned());
    }
    Ok(Some(ClientCertificate {
        certificate,
        key: Secret::new(key.to_owned()),
    }))
}

/// Both forms of OpenSSL's: PKCS #8, and the older one with a header.
fn is_encrypted(key: &str) -> bool {
    key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || key.contains("Proc-Type: 4,ENCRYPTED")
}

/// What JavaScript takes for true.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn identity_of(value: &Value, host: &str, version: &str) -> Identity {
        read(value, host, Rules::of(Some(version)))
            .unwrap()
            .unwrap()
            .identity
    }

    #[test]
    fn what_is_no_object_is_refused_or_off() {
        for (value, expected) in [
            (
                json!(true),
                Err("SSL profile must be an object, instead it's a boolean"),
            ),
            (json!("require"), Err("Unknown SSL profile '…'")),
            (json!(""), Err("Unknown SSL profile '…'")),
            (
                json!(1),
                Err("SSL profile must be an object, instead it's a number"),
            ),
            (json!(false), Ok(false)),
            (json!(null), Ok(false)),
            (json!({}), Ok(true)),
            (json!([{"rejectUnauthorized": false}]), Ok(true)),
            (json!("Amazon RDS"), Ok(true)),
        ] {
            let found = read(&value, "db", Rules::NEWEST);
            let found = found.as_ref().map(Option::is_some).map_err(String::as_str);
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn only_a_false_that_is_none_in_words_turns_the_check_off() {
        for (value, expected) in [
            (json!({"rejectUnauthorized": false}), false),
            (json!({"rejectUnauthorized": "false"}), true),
            (json!({"rejectUnauthorized": 0}), true),
            (json!([{"rejectUnauthorized": false}]), true),
        ] {
            let tls = read(&value, "db", Rules::NEWEST).unwrap().unwrap();
            assert_eq!(tls.reject_unauthorized, expected, "{value}");
        }
    }

    #[test]
    fn whose_name_is_checked_depends_on_the_version() {
        let (plain, verify) = (json!({}), json!({"verifyIdentity": true}));
        assert_eq!(identity_of(&plain, "db", "3.6.5"), Identity::Host);
        assert_eq!(identity_of(&plain, "127.0.0.1", "3.6.5"), Identity::Host);
        assert_eq!(identity_of(&plain, "db", "3.7.1"), Identity::NotChecked);
        assert_eq!(identity_of(&verify, "db", "3.24.4"), Identity::Host);
        assert_eq!(identity_of(&verify, "::1", "3.15.2"), Identity::Host);
        assert_eq!(identity_of(&verify, "::1", "3.15.3"), Identity::Localhost);
    }

    #[test]
    fn an_encrypted_key_needs_its_passphrase() {
        let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx";
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nx";
        let open = "-----BEGIN PRIVATE KEY-----\nx";
        for (key, passphrase, expected) in [
            (key, json!(null), Err("Provider routines::bad decrypt")),
            (key, json!(""), Err("Provider routines::bad decrypt")),
            (old, json!(null), Err("Provider routines::bad decrypt")),
            (
                key,
                json!(1),
                Err("The \"options.passphrase\" property must be of type string"),
            ),
            (key, json!("x"), Ok(true)),
            (old, json!("x"), Ok(true)),
            (open, json!("x"), Ok(false)),
            (open, json!(null), Ok(false)),
        ] {
            let value = json!({"cert": "-----BEGIN C", "key": key, "passphrase": passphrase});
            let found = read(&value, "db", Rules::NEWEST)
                .map(|tls| tls.unwrap().client.unwrap().is_sealed());
            let found = found.as_ref().copied().map_err(String::as_str);
            assert_eq!(found, expected, "{key} {passphrase}");
        }
    }

    #[test]
    fn nothing_prints_a_key() {
        let value = json!({"cert": "-----BEGIN C", "key": "-----BEGIN canary"});
        let tls = read(&value, "db", Rules::NEWEST).unwrap();
        assert!(!format!("{tls:?}").contains("canary"));
    }
}
