//! Places that cannot be written: a full disk, a read-only file system, files of other users; and what an image layer
//! holds afterwards. Mounts are made in a namespace of their own, with `unshare`.

use super::*;

/// Runs a shell script with mounts of its own. `$ghost` is a bed's installation, `$mount` an empty directory, `$program`
/// the program that writes; `state` prints all that is below a directory.
fn in_namespace(bed: &Bed, script: &str) -> Answer {
    let mount = bed.directory.path().join("mount");
    std::fs::create_dir_all(&mount).unwrap();
    let state = r#"state() { (cd "$1" && find . ! -name fill -exec ls -ld --time-style=+ {} + && find . -type f ! -name fill -exec sha256sum {} +) | sort; }"#;
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "--", "sh", "-euc"])
        .arg(format!("{state}\n{script}"));
    command
        .env("ghost", &bed.root)
        .env("mount", mount)
        .env("program", program_path());
    bounded(command, Duration::from_secs(60))
}

/// `patch` with ever more room: refused without a trace until there is enough, then done.
fn with_ever_more_room(mounting: &str, filling: &str) {
    let mut done = Vec::new();
    for room in 0..9 {
        let bed = Bed::new();
        let script = format!(
            r#"
room={room}
{mounting}
cp -r "$ghost" "$mount/ghost"
{filling}
state "$mount" > "$ghost/before"
code=0; "$program" "$mount/ghost" patch > "$ghost/out" 2> "$ghost/words" || code=$?
state "$mount" > "$ghost/after"
more
cat "$ghost/words" >&2
echo "code $code"
cmp "$ghost/before" "$ghost/after" > "$ghost/cmp" && echo unchanged
[ "$code" = 0 ] || "$program" "$mount/ghost" patch
"$program" "$mount/ghost" verify && echo patched
"#
        );
        let answer = in_namespace(&bed, &script);
        assert!(
            answer.success() || answer.stdout.contains("code 0"),
            "{answer}"
        );
        assert!(
            answer.stdout.contains("patched"),
            "with room it works: {answer}"
        );
        let code = answer.stdout.lines().next().unwrap();
        if code == "code 0" {
            assert!(!answer.stdout.contains("unchanged"), "{answer}");
            done.push(true);
        } else {
            assert_eq!(code, "code 5", "{answer}");
            assert!(answer.stdout.contains("unchanged"), "{answer}");
            assert!(
                answer.stderr.contains("No space left on device"),
                "{answer}"
            );
            assert!(answer.stderr.contains("free some space"), "{answer}");
            done.push(false);
        }
    }
    assert!(!done[0] && done[8] && done.is_sorted(), "{done:?}");
}

#[test]
fn a_full_disk_changes_nothing() {
    with_ever_more_room(
        r#"mount -t tmpfs -o size=128k none "$mount""#,
        r#"dd if=/dev/zero of="$mount/fill" bs=4096 2> /dev/null || true
        truncate -s -$((room * 4096)) "$mount/fill"
        more() { rm "$mount/fill"; }"#,
    );
}

#[test]
fn a_disk_without_inodes_changes_nothing() {
    with_ever_more_room(
        // One for the mount itself, the rest for what is copied.
        r#"mount -t tmpfs -o size=1m,nr_inodes=$((1 + $(find "$ghost" | wc -l) + room)) none "$mount""#,
        "more() { mount -o remount,nr_inodes=1000 \"$mount\"; }",
    );
}

#[test]
fn a_read_only_file_system_is_told_and_can_be_asked() {
    let bed = Bed::new();
    let read_only = r#"mount --bind "$ghost" "$mount"; mount -o remount,bind,ro "$mount""#;
    let patch = format!("{read_only}\n\"$program\" \"$mount\" patch");
    let before = bed.snapshot();
    let answer = in_namespace(&bed, &patch);
    assert_eq!(answer.code(), 5, "{answer}");
    assert!(
        answer
            .stderr
            .contains("Read-only file system (os error 30)"),
        "{answer}"
    );
    assert!(
        answer.stderr.contains("in a RUN step of the Dockerfile"),
        "{answer}"
    );
    std::fs::remove_dir(bed.directory.path().join("mount")).unwrap();
    assert_eq!(bed.snapshot(), before);

    // What is patched already can be verified there, and patched again, since that writes nothing.
    assert!(run(&bed.root, "patch").success());
    let answer = in_namespace(&bed, &format!("{patch}\n\"$program\" \"$mount\" verify"));
    assert!(
        answer.success() && answer.stdout.starts_with("0 changed"),
        "{answer}"
    );
}

#[test]
fn an_image_layer_holds_the_patched_files_and_the_receipt_and_nothing_else() {
    let bed = Bed::new();
    let answer = in_namespace(
        &bed,
        r#"
mount -t tmpfs none "$mount"
mkdir "$mount/upper" "$mount/work" "$mount/merged"
mount -t overlay -o "lowerdir=$ghost,upperdir=$mount/upper,workdir=$mount/work" none "$mount/merged"
"$program" "$mount/merged" patch > /dev/null
"$program" "$mount/merged" patch
(cd "$mount/upper" && find . ! -type d | sort)
"$program" "$mount/merged" revert > /dev/null
diff -r "$ghost" "$mount/merged" && echo identical
"#,
    );
    assert!(answer.success(), "{answer}");
    let mut expected = vec![
        "0 changed, None, Committed { notes: [] }".to_owned(),
        "./.ghostfix/receipt.json".to_owned(),
    ];
    expected.extend(TARGETS.map(|target| format!("./{target}")));
    expected.push("identical".to_owned());
    assert_eq!(answer.stdout.lines().collect::<Vec<_>>(), expected);
}

const NOBODY: u32 = 65534;

/// A bed in a place that everybody may enter, and the program likewise. Root makes files for others: these tests need it.
struct Shared {
    bed: Bed,
    program: PathBuf,
    _program: tempfile::TempDir,
}

impl Shared {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        assert!(
            rustix::process::geteuid().is_root(),
            "run this test as root: it makes files of two users"
        );
        let bed = Bed::below(&std::env::temp_dir());
        let place = tempfile::tempdir().unwrap();
        for directory in [bed.directory.path(), place.path()] {
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let program = place.path().join("program");
        std::fs::copy(program_path(), &program).unwrap();
        Self {
            bed,
            program,
            _program: place,
        }
    }

    fn give(&self, path: &str) {
        std::os::unix::fs::chown(self.bed.root.join(path), Some(NOBODY), Some(NOBODY)).unwrap();
    }

    fn give_all(&self) {
        let mut command = Command::new("chown");
        command
            .args(["-R", &format!("{NOBODY}:{NOBODY}")])
            .arg(&self.bed.root);
        assert!(bounded(command, Duration::from_secs(10)).success());
    }

    fn mode(&self, path: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(
            self.bed.root.join(path),
            std::fs::Permissions::from_mode(mode),
        )
        .unwrap();
    }

    fn as_nobody(&self, verb: &str) -> Answer {
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
            .arg(&self.program);
        command.arg(&self.bed.root).arg(verb);
        bounded(command, Duration::from_secs(60))
    }

    fn refused(&self, words: &str) {
        let before = self.bed.snapshot();
        let answer = self.as_nobody("patch");
        assert_eq!(answer.code(), 5, "{answer}");
        assert!(answer.stderr.contains(words), "{answer}");
        assert!(
            answer
                .stderr
                .contains("run ghostfix as the user who owns the files"),
            "{answer}"
        );
        assert_eq!(self.bed.snapshot(), before);
    }
}

#[test]
fn a_plain_user_patches_what_is_theirs() {
    let shared = Shared::new();
    shared.give_all();
    let before = shared.bed.snapshot();
    let answer = shared.as_nobody("patch");
    assert!(answer.success(), "{answer}");
    assert_eq!(shared.bed.targets(), AFTER);
    let ours = shared
        .bed
        .root
        .join(".ghostfix/receipt.json")
        .metadata()
        .unwrap();
    assert_eq!(
        (ours.uid(), ours.gid(), ours.mode() & 0o777),
        (NOBODY, NOBODY, 0o644)
    );
    assert!(shared.as_nobody("revert").success());
    assert_eq!(shared.bed.snapshot(), before);
}

#[test]
fn root_leaves_everything_to_the_owner() {
    let shared = Shared::new();
    shared.give_all();
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 077; exec \"$0\" \"$@\""])
        .arg(&shared.program)
        .arg(&shared.bed.root)
        .arg("patch");
    let answer = bounded(command, Duration::from_secs(60));
    assert!(answer.success(), "{answer}");
    for path in [
        TARGETS[0],
        TARGETS[1],
        ".ghostfix",
        ".ghostfix/receipt.json",
    ] {
        let metadata = shared.bed.root.join(path).metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (NOBODY, NOBODY), "{path}");
        assert_eq!(
            metadata.mode() & 0o777,
            if metadata.is_dir() { 0o755 } else { 0o644 },
            "{path}"
        );
    }
    assert!(shared.as_nobody("verify").success());
    assert!(shared.as_nobody("revert").success());
}

#[test]
fn a_plain_user_changes_nothing_of_others() {
    // Nothing is theirs.
    let shared = Shared::new();
    shared.refused("create ");

    // The packages are, and the version directory is not.
    let shared = Shared::new();
    shared.give_all();
    std::os::unix::fs::chown(&shared.bed.root, Some(0), Some(0)).unwrap();
    shared.refused("create ");

    // Everything is but one file, whose owner could not be kept.
    let shared = Shared::new();
    shared.give_all();
    std::os::unix::fs::chown(shared.bed.root.join(TARGETS[1]), Some(0), Some(0)).unwrap();
    shared.refused("keep owner and mode of ");

    // Everything is but the directory of one file.
    let shared = Shared::new();
    shared.give_all();
    let directory = Path::new(TARGETS[1]).parent().unwrap();
    std::os::unix::fs::chown(shared.bed.root.join(directory), Some(0), Some(0)).unwrap();
    shared.refused("write beside ");

    // One file cannot be read.
    let shared = Shared::new();
    shared.give(".");
    shared.mode(TARGETS[0], 0o600);
    shared.refused("read ");

    // The installation cannot be entered.
    let shared = Shared::new();
    shared.mode("", 0o700);
    shared.refused("read ");
}
