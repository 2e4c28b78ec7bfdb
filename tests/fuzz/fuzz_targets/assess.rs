//! Any bytes through parse, recognise, transform and prove, for every patch: no panic, no abort, and where a change
//! comes out, it is one: recognised as there, and with the splices taken out again the very bytes that went in.

#![no_main]

use ghostfix::catalogue;
use ghostfix::javascript::assess::{Guards, Origin, assess};
use ghostfix::javascript::edit;
use ghostfix::javascript::sandbox::Sandbox;
use ghostfix::report::State;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for patch in catalogue::patches() {
        let verdict = assess(patch, bytes, Origin::Unknown, &Sandbox::ThisProcess, Guards::default());
        let Some(change) = verdict.change else { continue };
        let before = std::str::from_utf8(bytes).expect("a change is only made to text");
        let base = change.base.as_deref().unwrap_or(before);
        assert_eq!(edit::apply(base, &change.splices), change.after);
        let again = assess(patch, change.after.as_bytes(), Origin::Unknown, &Sandbox::ThisProcess, Guards::default());
        assert_eq!(again.state, State::AlreadyApplied);
    }
});
