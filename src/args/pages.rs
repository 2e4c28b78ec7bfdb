//! The command line as shells and `man` want it: made from the same definition that parses it.

use clap::CommandFactory;

use super::Args;

/// The completion script for a shell.
#[must_use]
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ghostfix", &mut script);
    script
}

/// The manual page, in troff: one page that has every command in a section of its own.
#[must_use]
pub fn manual() -> Vec<u8> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    write_manual(&command, &mut page).expect("writing to memory does not fail");
    page
}

fn write_manual(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let whole = clap_mangen::Man::new(command.clone())
        .manual("User commands")
        .date("");
    whole.render_title(page)?;
    whole.render_name_section(page)?;
    whole.render_synopsis_section(page)?;
    whole.render_description_section(page)?;
    whole.render_options_section(page)?;
    for subcommand in command.get_subcommands() {
        write_subcommand(subcommand, &[], page)?;
    }
    write_end(command, ".SH", page);
    Ok(())
}

/// The examples and the exit codes, line by line as they are: each is laid out already.
fn write_end(command: &clap::Command, section: &str, page: &mut Vec<u8>) {
    let end = command
        .get_after_long_help()
        .or_else(|| command.get_after_help())
        .map(ToString::to_string);
    for part in end
        .as_deref()
        .unwrap_or_default()
        .split("\n\n")
        .filter(|part| !part.is_empty())
    {
        let (title, lines) = part.split_once(":\n").unwrap_or(("Notes", part));
        let title = match title {
            "Exit codes" => "EXIT STATUS".to_owned(),
            other => other.to_uppercase(),
        };
        let lines = lines.replace('\\', "\\e").replace('-', "\\-");
        page.extend_from_slice(format!("{section} \"{title}\"\n.nf\n{lines}\n.fi\n").as_bytes());
    }
}

/// A section for each command that does something, with what would be sections on a page of its own below it.
fn write_subcommand(
    command: &clap::Command,
    parents: &[&str],
    page: &mut Vec<u8>,
) -> std::io::Result<()> {
    let path = [parents, &[command.get_name()]].concat();
    if command.has_subcommands() {
        return command
            .get_subcommands()
            .try_for_each(|subcommand| write_subcommand(subcommand, &path, page));
    }
    page.extend_from_slice(format!(".SH \"{}\"\n", path.join(" ").to_uppercase()).as_bytes());
    // The flags that every command has stand once, in OPTIONS.
    let own = command.clone().mut_args(|arg| {
        if arg.is_global_set() {
            arg.hide(true)
        } else {
            arg
        }
    });
    let man = clap_mangen::Man::new(own);
    let mut sections = Vec::new();
    man.render_synopsis_section(&mut sections)?;
    man.render_description_section(&mut sections)?;
    man.render_options_section(&mut sections)?;
    let sections = String::from_utf8(sections).expect("clap's help is UTF-8");
    for line in sections.lines() {
        let line = line
            .strip_prefix(".SH")
            .map_or_else(|| line.to_owned(), |rest| format!(".SS{rest}"));
        page.extend_from_slice(line.as_bytes());
        page.push(b'\n');
    }
    write_end(command, ".SS", page);
    Ok(())
}

#[cfg(test)]
mod tests;
