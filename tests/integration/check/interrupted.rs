//! A check of an image that a signal ends: what was written out to be looked at is gone with it.

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::check::images::{assert_nothing_left, images, left, save};
use crate::common::PROGRAM;
use crate::ghost::image_registry::{DockerRegistry, skopeo};

/// To whom a signal goes.
#[derive(Debug, Clone, Copy)]
enum To {
    /// Everything that the terminal runs at that moment, as Ctrl-C does.
    Group,
    /// The one process, as `kill` and `docker stop` do.
    Process,
}

/// When it comes.
#[derive(Debug, Clone, Copy)]
enum When {
    /// So long after the start.
    Started(Duration),
    /// So long after something was written out.
    Written(Duration),
}

/// Ends a run early; how it ended, and whether anything had been written out when the signal came.
fn interrupted(
    home: &Path,
    arguments: &[&str],
    signal: Signal,
    to: To,
    when: When,
) -> (ExitStatus, bool) {
    // A shell's background job ignores Ctrl-C, and what it starts inherits that.
    let mut child = Command::new("env")
        .args(["--default-signal=INT,TERM,HUP", "-i", "PATH=/usr/bin:/bin"])
        .arg(format!("HOME={}", home.display()))
        .arg(format!("TMPDIR={}", home.display()))
        .arg(&*PROGRAM)
        .args(arguments)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let pause = match when {
        When::Started(pause) => pause,
        When::Written(pause) => {
            while left(home).is_empty() && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            pause
        }
    };
    std::thread::sleep(pause);
    let was_there = !left(home).is_empty();
    let pid = Pid::from_child(&child);
    match to {
        To::Group => kill_process_group(pid, signal),
        To::Process => kill_process(pid, signal),
    }
    .unwrap();
    (child.wait().unwrap(), was_there)
}

/// What takes the directory away outlives the run by a moment.
fn assert_nothing_left_soon(home: &Path) {
    let started = Instant::now();
    while !left(home).is_empty() && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_nothing_left(home);
}

#[test]
fn no_signal_at_any_moment_leaves_the_image_behind() {
    let home = tempfile::tempdir().unwrap();
    let (published, _) = images();
    save(&published, &home.path().join("image.tar"));
    let signals = [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL];
    let after = |pauses: [u64; 6]| pauses.map(Duration::from_millis);
    let moments: Vec<When> = after([0, 5, 10, 20, 40, 80])
        .map(When::Started)
        .into_iter()
        .chain(after([0, 1, 2, 5, 10, 30]).map(When::Written))
        .collect();
    for arguments in [
        &["check", "image.tar"][..],
        &["check", "image.tar", "./image.tar"],
        &["verify", "--image", "image.tar"],
    ] {
        let mut caught = 0;
        for (number, when) in moments.iter().copied().enumerate() {
            let signal = signals[number % signals.len()];
            let to = if number % 3 == 0 {
                To::Process
            } else {
                To::Group
            };
            let (status, was_there) = interrupted(home.path(), arguments, signal, to, when);
            let described = format!("{arguments:?} {signal:?} {to:?} {when:?}: {status}");
            // Its own death by the signal: of SIGINT every shell makes 130. Else it was done before the signal came.
            if let Some(number) = status.signal() {
                assert_eq!(number, signal.as_raw(), "{described}");
                caught += usize::from(was_there);
            }
            assert_nothing_left_soon(home.path());
        }
        assert!(
            caught >= 3,
            "{arguments:?}: {caught} runs had begun to write"
        );
    }
}

#[test]
fn an_image_of_a_registry_goes_with_its_run_as_well() {
    let home = tempfile::tempdir().unwrap();
    let registry = DockerRegistry::start(None);
    let (published, _) = images();
    let file = home.path().join("image.tar");
    save(&published, &file);
    let name = format!("docker://{}/library/ghost:6", registry.host);
    skopeo(&[
        "copy",
        "--dest-tls-verify=false",
        &format!("oci-archive:{}", file.display()),
        &name,
    ]);
    for signal in [Signal::INT, Signal::TERM] {
        let when = When::Written(Duration::ZERO);
        let (status, was_there) =
            interrupted(home.path(), &["check", &name], signal, To::Group, when);
        assert!(was_there, "{status}");
        assert_eq!(status.signal(), Some(signal.as_raw()));
        assert_nothing_left_soon(home.path());
    }
    // And the cache that it may have begun is of use.
    let answer = crate::check::run(home.path(), &["check", &name]);
    assert_eq!(answer.code(), 0, "{answer}");
    assert_eq!(left(home.path()), Vec::<String>::new());
    assert!(fs::exists(&file).unwrap());
}

#[test]
fn a_place_where_nothing_can_be_made_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (published, _) = images();
    save(&published, &home.path().join("image.tar"));
    let mut command = crate::check::at(home.path(), &["check", "image.tar"]);
    let nowhere = home.path().join("nowhere");
    command.env("TMPDIR", &nowhere);
    let answer = crate::process::bounded(command, Duration::from_secs(60));
    assert_eq!(answer.code(), 5, "{answer}");
    let said = crate::check::said(&answer);
    assert!(
        said.contains(&nowhere.display().to_string()) && said.contains("TMPDIR"),
        "{answer}"
    );
}
