//! Arguments in, exit code out.
//!
//! Signals keep their meaning: Ctrl-C ends the process at once (a shell says 130), since no moment leaves half a file,
//! and what is only for the while has a process of its own to take it away.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use ghostfix::args::{self, Args};
use ghostfix::connection::Variables;
use ghostfix::error::{Error, Result};
use ghostfix::ghost::image::scratch;
use ghostfix::ghost::npm_config::Surroundings;
use ghostfix::javascript::sandbox::{self, Sandbox};
use ghostfix::report::Report;
use ghostfix::settings::{Command, Environment, Output, Settings};
use ghostfix::{bug, catalogue, command, render};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    if let Some(served) = as_child(std::env::args_os().skip(1)) {
        return if served.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let environment = Environment::of_this_process();
    let (output, answer) = match Args::try_parse() {
        Ok(args) => {
            let output = Output::new(&args.output, &environment);
            (output, bug::guard(|| run(args, &environment, &output)))
        }
        Err(other) => {
            let output = Output::new(
                &args::output_despite_errors(std::env::args_os()),
                &environment,
            );
            (output, help_or_usage(&other, &output))
        }
    };
    ExitCode::from(answer.unwrap_or_else(|error| fail(&error, &output)))
}

/// What this program does as a child of itself; `None` where it is none.
fn as_child(mut arguments: impl Iterator<Item = OsString>) -> Option<io::Result<()>> {
    let first = arguments.next()?;
    if first == sandbox::CHILD_ARGUMENT {
        Some(sandbox::child(io::stdin(), io::stdout()))
    } else if first == scratch::CHILD_ARGUMENT {
        let parent = PathBuf::from(arguments.next()?);
        Some(scratch::child(&parent, io::stdin(), io::stdout()))
    } else {
        None
    }
}

fn run(args: Args, environment: &Environment, output: &Output) -> Result<u8> {
    let settings = Settings::new(args, environment, &catalogue::ids())?;
    let sandbox = Sandbox::of_this_program();
    let report: Report = match &settings.command {
        Command::Patch(patch) => command::patch::run(patch, &sandbox)?.into(),
        Command::Verify(verify) => {
            command::verify::run(verify, &sandbox, &Surroundings::of_this_process())?.into()
        }
        Command::Revert(revert) => command::revert::run(revert, &sandbox)?.into(),
        Command::Check(check) => {
            let bar = render::Bar::new(output, &check.what);
            let progress = |step: command::check::Progress<'_>| bar.show(step);
            let surroundings = Surroundings::of_this_process();
            let variables = Variables::of_this_process();
            command::check::run(check, &sandbox, &surroundings, &variables, &progress)?.into()
        }
        Command::Preflight(preflight) => {
            let variables = Variables::of_this_process();
            let steps = render::Steps::new(output);
            command::preflight::run(preflight, &sandbox, &variables, &mut |step| {
                steps.show(step);
            })?
        }
        Command::Patches(patches) => command::patches::run(patches)?.into(),
        Command::Completions(shell) => {
            return render::print(args::completions(*shell), output).map(|()| 0);
        }
        Command::Man => return render::print(args::manual(), output).map(|()| 0),
    };
    render::print(render::report(&report, output), output)?;
    Ok(report.outcome().exit_code())
}

/// What the parser of the command line says instead of arguments.
fn help_or_usage(other: &clap::Error, output: &Output) -> Result<u8> {
    let words = other.render().ansi().to_string();
    if !other.use_stderr() {
        return render::print(words, output).map(|()| 0);
    }
    render::diagnose(&words, output);
    let error = args::usage_error(other);
    render::print(render::error_object(&error, output.format), output)?;
    Ok(error.exit_code())
}

fn fail(error: &Error, output: &Output) -> u8 {
    render::diagnose(&render::error_words(error), output);
    // Words have been said; that they cannot be said twice is no second error.
    let _ = render::print(render::error_object(error, output.format), output);
    error.exit_code()
}
