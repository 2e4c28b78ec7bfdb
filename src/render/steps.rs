//! The steps of `preflight` on standard error, while they are taken: a list that fills, each line with its mark and a
//! short fact once its step is over.
//!
//! The cursor stands below the list, at the start of a line, whenever nothing is being written, and is never hidden. So
//! a run that is ended at any moment, by whatever signal, leaves whole lines and a terminal as it was.

use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use super::page::{CALM, FAINT, PLAIN, STRONG};
use super::preflight::sign;
use super::text;
use crate::command::preflight::Step;
use crate::settings::{Output, Screen};

/// Between two pictures of a step that is under way.
const FRAME: Duration = Duration::from_millis(120);
/// From then on the time is shown.
const LONG: Duration = Duration::from_secs(2);
/// The names of the steps are as wide as the longest.
const NAMES: usize = 13;

/// The list. It stays on the screen when this is dropped; a step that is not over goes.
pub struct Steps {
    list: Option<Arc<Mutex<List>>>,
    clock: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Steps {
    /// A list for people who watch; nothing for anybody else.
    #[must_use]
    pub fn new(output: &Output) -> Self {
        let list = output.stage.map(|screen| {
            let color = match output.color {
                ColorChoice::Auto => AutoStream::choice(&std::io::stderr()),
                chosen => chosen,
            };
            Arc::new(Mutex::new(List {
                screen,
                colored: color != ColorChoice::Never,
                names: Vec::new(),
                running: None,
                frame: 0,
            }))
        });
        let clock = list.clone().map(|list| {
            let (stop, stopped) = channel();
            let clock = std::thread::spawn(move || {
                while stopped.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                    change(&list, List::tick);
                }
            });
            (stop, clock)
        });
        Self { list, clock }
    }

    /// The next step.
    pub fn show(&self, step: Step) {
        if let Some(list) = &self.list {
            change(list, |list| list.take(step));
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some((stop, clock)) = self.clock.take() {
            drop(stop);
            let _ = clock.join();
        }
        if let Some(list) = &self.list {
            change(list, List::leave);
        }
    }
}

/// Changes the list, and brings the screen up to it in one piece.
fn change(list: &Mutex<List>, act: impl FnOnce(&mut List) -> String) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    let written = act(&mut list);
    let mut stream = std::io::stderr().lock();
    // Where this fails nobody watches any more.
    let _ = stream
        .write_all(written.as_bytes())
        .and_then(|()| stream.flush());
}

struct List {
    screen: Screen,
    colored: bool,
    /// The steps that are over, one a line.
    names: Vec<&'static str>,
    /// The last line, where a step is under way.
    running: Option<Running>,
    frame: usize,
}

struct Running {
    what: What,
    since: Instant,
}

#[derive(Clone, Copy)]
enum What {
    Step(&'static str),
    Waiting(Instant),
}

impl List {
    fn take(&mut self, step: Step) -> String {
        match step {
            Step::Begun(name) => {
                let mut written = self.leave();
                if let Some(at) = self.names.iter().position(|known| *known == name) {
                    // The way is gone once more: what was seen of it is over.
                    written.push_str(&up(self.names.len() - at));
                    self.names.truncate(at);
                }
                written + &self.begin(What::Step(name))
            }
            Step::Waiting(end) => self.leave() + &self.begin(What::Waiting(end)),
            Step::Ended { level, words } => {
                let mut written = String::new();
                if let Some(Running {
                    what: What::Step(name),
                    ..
                }) = self.running.take()
                {
                    self.names.push(name);
                    let mark = sign(level, self.screen.unicode);
                    written = up(1) + &self.line(mark, name, (PLAIN, &words));
                }
                written
            }
        }
    }

    fn begin(&mut self, what: What) -> String {
        self.running = Some(Running {
            what,
            since: Instant::now(),
        });
        self.picture()
    }

    fn tick(&mut self) -> String {
        self.frame += 1;
        match self.running {
            Some(_) => up(1) + &self.picture(),
            None => String::new(),
        }
    }

    /// Takes the step off that is under way.
    fn leave(&mut self) -> String {
        self.running.take().map_or_else(String::new, |_| up(1))
    }

    fn picture(&self) -> String {
        let Some(running) = &self.running else {
            return String::new();
        };
        let frames: &[&str] = if self.screen.unicode {
            &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
        } else {
            &["[-]", "[\\]", "[|]", "[/]"]
        };
        let sign = (CALM, frames[self.frame % frames.len()]);
        let took = running.since.elapsed();
        match running.what {
            What::Step(name) if took >= LONG => {
                let words = format!("for {} s", took.as_secs());
                self.line(sign, name, (FAINT, &words))
            }
            What::Step(name) => self.line(sign, name, (FAINT, "")),
            What::Waiting(end) => {
                let left = end.saturating_duration_since(Instant::now()).as_secs();
                let words = format!("the database is not there yet; {left} s are left");
                self.line(sign, "waiting", (FAINT, &words))
            }
        }
    }

    /// A whole line, no wider than the screen.
    fn line(
        &self,
        (style, sign): (Style, &str),
        name: &str,
        (tone, words): (Style, &str),
    ) -> String {
        let columns = self.screen.columns.map_or(80, usize::from).min(100);
        let begin = text::width(sign) + 1 + NAMES + 1;
        let words = shortened(&text::clean(words), columns.saturating_sub(begin + 1));
        let name = format!("{name:NAMES$}");
        let mut line = String::new();
        for (style, part) in [
            (style, sign),
            (PLAIN, " "),
            (STRONG, name.as_str()),
            (PLAIN, " "),
            (tone, words.as_str()),
        ] {
            if self.colored && style != PLAIN && !part.is_empty() {
                line.push_str(&format!("{style}{part}{style:#}"));
            } else {
                line.push_str(part);
            }
        }
        format!("{}\n", line.trim_end())
    }
}

/// Goes up so many lines, and clears what is below.
fn up(lines: usize) -> String {
    if lines == 0 {
        return String::new();
    }
    format!("\r\u{1b}[{lines}A\u{1b}[J")
}

fn shortened(words: &str, columns: usize) -> String {
    if text::width(words) <= columns {
        return words.to_owned();
    }
    let mut short = String::new();
    for character in words.chars() {
        if text::width(&short) + 4 > columns {
            break;
        }
        short.push(character);
    }
    short.truncate(short.trim_end().len());
    short + "..."
}
