//! A program with plugins that are reloaded when they change.
//!
//! It reads lines, and hands each one to the plugin that its first word names. Change a script in the folder meanwhile, break it, mend
//! it, add another one: the next line sees it.
//!
//! `cargo run --release -p kiln-example-plugins`, with the folder of the plugins if it is not to be the example's own.

mod host;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use host::PluginHost;

/// How often the program looks for changes while nobody types.
const INTERVAL: Duration = Duration::from_millis(300);

fn prompt() -> std::io::Result<()> {
    print!("> ");
    std::io::stdout().flush()
}

/// Carries a line out.
fn carry_out(host: &mut PluginHost, line: &str) {
    let (name, text) = line.split_once(' ').unwrap_or((line, ""));
    match host.run(name, text.trim()) {
        Some(Ok(answer)) if answer.is_empty() => {}
        Some(Ok(answer)) => println!("{answer}"),
        Some(Err(error)) => println!("{name}: {error}"),
        None if name.is_empty() => {}
        None => {
            println!("There is no {name}. There are:");
            host.help().for_each(|help| println!("  {help}"));
        }
    }
}

fn main() -> std::io::Result<()> {
    let folder = match std::env::args().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins"),
    };
    let mut host = PluginHost::new(&folder, |text| print!("{text}"));
    println!("The plugins are in {}", folder.display());

    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    host.refresh()?.iter().for_each(|event| println!("{event}"));
    prompt()?;
    loop {
        let line = lines.recv_timeout(INTERVAL);
        let events = host.refresh()?;
        if !events.is_empty() && line.is_err() {
            println!();
        }
        events.iter().for_each(|event| println!("{event}"));
        match line {
            Ok(line) => carry_out(&mut host, line.trim()),
            Err(RecvTimeoutError::Timeout) if events.is_empty() => continue,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        prompt()?;
    }
}
