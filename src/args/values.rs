//! Values of flags whose types belong to the catalogue, which knows nothing of command lines.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::catalogue::definition::Profile;

/// A profile by its word, each with a line of help.
pub(super) fn profile() -> impl TypedValueParser<Value = Profile> {
    let help = |profile| match profile {
        Profile::Planetscale => "PlanetScale",
        Profile::Vitess => "Any other Vitess",
        Profile::Mysql => "MySQL or MariaDB",
    };
    PossibleValuesParser::new(
        Profile::ALL.map(|profile| PossibleValue::new(profile.word()).help(help(profile))),
    )
    .map(|word| {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.word() == word)
            .expect("the parser lets only these words through")
    })
}
