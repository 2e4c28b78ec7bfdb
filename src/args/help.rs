//! The parts of the help that clap does not make from the flags: colours, examples, exit codes.

use clap::builder::styling::{AnsiColor, Effects, Styles};

pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

pub(super) const EXAMPLES: &str = "\
Examples:
  ghostfix patch --dry-run   Show what would change; write nothing
  ghostfix patch             The line for a Dockerfile: patch, or fail the build
  ghostfix verify            Prove the patches on the files as they are
  ghostfix check ghost:6     Ask whether a Ghost can be patched, before the pull";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
    0  Yes, or nothing left to do
    1  Asked and answered: no (verify: a patch is not in place)
    2  The command line is wrong
    3  Nothing to work on: no Ghost here, or the package is absent
    4  Refused; no file was touched
    5  A file or directory could not be read or written
    6  A registry or an image could not be had
    7  The database cannot be asked
   70  A bug in ghostfix
  130  Interrupted";

pub(super) const PATCH_EXAMPLES: &str = "\
Examples:
  ghostfix patch
      Patch the Ghost of the official image, in a RUN step of its Dockerfile
  ghostfix patch --dry-run --root ./ghost
      Show the diffs and the proofs for another installation; write nothing
  ghostfix patch --profile mysql
      Only what helps on a plain MySQL too
  ghostfix patch --only database-exists --format json
      One patch, and a JSON object for the next program";

pub(super) const PATCH_EXIT_CODES: &str = "\
Exit codes:
    0  Every selected patch is in place (or would be: --dry-run)
    2  The command line is wrong
    3  Nothing to work on: no Ghost here, or the package is absent
    4  Refused: the code is not what ghostfix knows. No file was touched
    5  A file or directory could not be read or written
   70  A bug in ghostfix
  130  Interrupted; the next patch, verify or revert finishes or undoes it";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  ghostfix verify
      Prove every patch of the default profile on the files as they are
  ghostfix verify --image docker://ghcr.io/me/blog:next
      The Ghost in an image, after it was built and pushed
  ghostfix verify --format github
      Annotations in a GitHub workflow
  ghostfix verify --format sarif > ghostfix.sarif
      For code scanning
  ghostfix verify -v
      With every behaviour case";

pub(super) const VERIFY_EXIT_CODES: &str = "\
Exit codes:
    0  Every selected patch is in place and proved, or not needed
    1  At least one is not
    2  The command line is wrong
    3  Nothing to work on: no Ghost here, or the package is absent
    5  A file or directory could not be read
    6  The image could not be had (--image)
   70  A bug in ghostfix
  130  Interrupted";

pub(super) const REVERT_EXAMPLES: &str = "\
Examples:
  ghostfix revert
      Take out every patch that ghostfix put in
  ghostfix revert --only database-exists
      Take out one";

pub(super) const REVERT_EXIT_CODES: &str = "\
Exit codes:
    0  The files are as they were, or were never patched
    2  The command line is wrong
    3  Nothing to work on: no Ghost here, or the package is absent
    4  Refused: a file is not the one that ghostfix wrote. No file was touched
    5  A file or directory could not be read or written
   70  A bug in ghostfix
  130  Interrupted; the next patch, verify or revert finishes or undoes it";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  ghostfix check
      The newest Ghost: npm's latest
  ghostfix check ghost:6 5.75.1
      What that tag of the image most likely holds, and one version
  ghostfix check docker://ghcr.io/me/blog:next
      An image; only what is needed of its layers is kept
  ghostfix check latest --from database --env-file .env
      What would run on the database of a compose project; asks it, writes nothing
  ghostfix check --all --format html > ghosts.html
      Every published Ghost, as a page to publish
  ghostfix check latest --baseline ghostfix.json
      In CI: fail only where it is worse than what was committed, which is what
      `ghostfix check latest --format json > ghostfix.json` wrote";

pub(super) const CHECK_EXIT_CODES: &str = "\
Exit codes:
    0  Every target can be patched, or has nothing to patch
    1  At least one cannot (with --baseline: and could before)
    2  The command line is wrong
    3  Nothing to work on: the only target is no Ghost, or has no knex-migrator
    5  A file or directory could not be read
    6  A registry or an image could not be had, or knows no such version
    7  The database cannot be asked (--from database)
   70  A bug in ghostfix
  130  Interrupted
Of several targets the highest of 0, 1 and 6 counts.";
pub(super) const PREFLIGHT_EXAMPLES: &str = "\
Examples:
  ghostfix preflight
      Beside Ghost, in its container: with the configuration that Ghost would read
  ghostfix preflight --env-file .env --wait 60s
      With the variables of a compose project, for a database that is still starting
  GHOSTFIX_PASSWORD=… ghostfix preflight --url mysql://ghost@db.example/ghost
      Without any Ghost
  ghostfix preflight -- --database:connection:host=db.example
      With arguments that Ghost is started with, as in
      `node current/index.js --database:connection:host=db.example`
  ghostfix preflight --explain foreign-keys
      Why a check matters, what Ghost would say, how it is fixed";

pub(super) const PREFLIGHT_EXIT_CODES: &str = "\
Exit codes:
    0  Nothing was found that will stop Ghost
    1  Something was (a finding at or over --fail-on), or the database cannot be reached
    2  The command line is wrong
    3  No Ghost in the directory that --root names
    5  A file or directory could not be read or written
   70  A bug in ghostfix
  130  Interrupted";

pub(super) const PATCHES_EXAMPLES: &str = "\
Examples:
  ghostfix patches list
  ghostfix patches show database-exists";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  ghostfix completions bash > ~/.local/share/bash-completion/completions/ghostfix
  ghostfix completions zsh > ~/.zfunc/_ghostfix
  ghostfix completions fish > ~/.config/fish/completions/ghostfix.fish";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  ghostfix man > /usr/local/share/man/man1/ghostfix.1";

/// The end of `--help`; `-h` leaves the exit codes out.
pub(super) fn with_exit_codes(examples: &str, exit_codes: &str) -> String {
    format!("{examples}\n\n{exit_codes}")
}
