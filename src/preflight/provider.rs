//! Which service or server a database is, told by its host's name and by what it says its version is.

use serde::{Deserialize, Serialize};

/// Services and servers that differ in what Ghost must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// PlanetScale, by its host's name.
    Planetscale,
    /// Another Vitess.
    Vitess,
    /// TiDB.
    Tidb,
    /// Amazon's RDS or Aurora.
    Amazon,
    /// Azure Database for MySQL.
    Azure,
    /// DigitalOcean.
    Digitalocean,
    /// Aiven.
    Aiven,
    /// MariaDB.
    Mariadb,
    /// MySQL.
    Mysql,
    /// Not known yet.
    #[default]
    Unknown,
}

impl Provider {
    /// Tells by name and version; the service counts more than the server that it runs.
    #[must_use]
    pub fn of(host: &str, version: Option<&str>) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let by_host = [
            (".psdb.cloud", Self::Planetscale),
            (".tidbcloud.com", Self::Tidb),
            (".rds.amazonaws.com", Self::Amazon),
            (".mysql.database.azure.com", Self::Azure),
            (".ondigitalocean.com", Self::Digitalocean),
            (".aivencloud.com", Self::Aiven),
        ];
        if let Some((_, provider)) = by_host.iter().find(|(end, _)| host.ends_with(end)) {
            return *provider;
        }
        let Some(version) = version else {
            return Self::Unknown;
        };
        let version = version.to_ascii_lowercase();
        if version.contains("vitess") {
            Self::Vitess
        } else if version.contains("tidb") {
            Self::Tidb
        } else if version.contains("mariadb") {
            Self::Mariadb
        } else if version.starts_with(|first: char| first.is_ascii_digit()) {
            Self::Mysql
        } else {
            Self::Unknown
        }
    }

    /// Whether Vitess stands before the database.
    #[must_use]
    pub fn is_vitess(self) -> bool {
        matches!(self, Self::Planetscale | Self::Vitess)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planetscale => "PlanetScale",
            Self::Vitess => "Vitess",
            Self::Tidb => "TiDB",
            Self::Amazon => "Amazon RDS or Aurora",
            Self::Azure => "Azure Database for MySQL",
            Self::Digitalocean => "DigitalOcean",
            Self::Aiven => "Aiven",
            Self::Mariadb => "MariaDB",
            Self::Mysql => "MySQL",
            Self::Unknown => "a server of an unknown kind",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_told_by_its_host_and_a_server_by_its_version() {
        for (host, version, expected) in [
            (
                "aws.connect.psdb.cloud",
                Some("8.0.34-PlanetScale"),
                Provider::Planetscale,
            ),
            ("db", Some("8.0.34-Vitess"), Provider::Vitess),
            ("db", Some("5.7.25-TiDB-v7.5.0"), Provider::Tidb),
            ("x.rds.amazonaws.com", Some("8.0.35"), Provider::Amazon),
            ("db", Some("5.5.5-10.11.6-MariaDB"), Provider::Mariadb),
            ("db", Some("9.7.4"), Provider::Mysql),
            ("psdb.cloud.evil.example", None, Provider::Unknown),
        ] {
            assert_eq!(Provider::of(host, version), expected, "{host} {version:?}");
        }
    }
}
