//! Running a program within limits and collecting everything it does.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a program may use before it is ended.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time from start to end.
    pub time: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
}

impl Default for Limits {
    /// Generous ones: they are there for programs that hang or run away, on a busy machine too.
    fn default() -> Limits {
        Limits {
            time: Duration::from_secs(60),
            memory: 2 << 30,
        }
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this status.
    Status(i32),
    /// By a signal: it crashed.
    Crashed(ExitStatus),
    /// It was ended for taking too long.
    OutOfTime(Duration),
    /// It was ended for taking more memory than this, in bytes.
    OutOfMemory(u64),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Status(status) => write!(f, "exit status {status}"),
            Ending::Crashed(status) => write!(f, "a crash ({status})"),
            Ending::OutOfTime(limit) => write!(f, "no end within {} s", limit.as_secs()),
            Ending::OutOfMemory(limit) => write!(f, "more than {} MB of memory", limit >> 20),
        }
    }
}

/// What a program did.
#[derive(Debug)]
pub struct Finished {
    /// What it wrote to standard output; to both streams, if they were merged.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub ending: Ending,
}

/// Where a program's two output streams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Each to a place of its own.
    Apart,
    /// Both to [`Finished::stdout`], in the order of writing.
    Merged,
    /// Standard output to a pipe that nobody reads.
    BrokenPipe,
}

/// Output beyond this many bytes is not kept.
const KEPT_OUTPUT: u64 = 64 << 20;

/// Runs a program to its end.
///
/// # Errors
///
/// Fails if the program cannot be started or watched.
pub fn run(
    command: &mut Command,
    input: &[u8],
    streams: Streams,
    limits: Limits,
) -> io::Result<Finished> {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let merged = match streams {
        Streams::Apart => None,
        Streams::Merged => {
            let (reader, writer) = io::pipe()?;
            command.stdout(writer.try_clone()?).stderr(writer);
            Some(reader)
        }
        Streams::BrokenPipe => {
            let (_, writer) = io::pipe()?;
            command.stdout(writer);
            None
        }
    };
    let mut child = command.spawn()?;
    // The command holds the ends that the child writes to; as long as they are open, the reader sees no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A program need not read what it is given: a failure to write it is not an error.
        thread::spawn(move || stdin.write_all(&input));
    }
    let stdout = match merged {
        Some(reader) => Some(collect(reader)),
        None => child.stdout.take().map(collect),
    };
    let stderr = child.stderr.take().map(collect);
    let ending = watch(&mut child, limits)?;
    Ok(Finished {
        stdout: collected(stdout)?,
        stderr: collected(stderr)?,
        ending,
    })
}

fn collect(stream: impl Read + Send + 'static) -> JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.take(KEPT_OUTPUT).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

fn collected(reader: Option<JoinHandle<io::Result<Vec<u8>>>>) -> io::Result<Vec<u8>> {
    match reader {
        None => Ok(Vec::new()),
        Some(reader) => reader
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the reader of a stream failed"))),
    }
}

fn watch(child: &mut Child, limits: Limits) -> io::Result<Ending> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status
                .code()
                .map_or(Ending::Crashed(status), Ending::Status));
        }
        let broken = if start.elapsed() > limits.time {
            Some(Ending::OutOfTime(limits.time))
        } else if peak_memory(child.id()).is_some_and(|peak| peak > limits.memory) {
            Some(Ending::OutOfMemory(limits.memory))
        } else {
            None
        };
        if let Some(ending) = broken {
            child.kill()?;
            child.wait()?;
            return Ok(ending);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The largest resident set a running process has had, in bytes; none where the system does not tell.
///
/// Asked every few milliseconds it misses little: touching a gigabyte takes some hundred milliseconds.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(format!("{process}/status")));
    parse_peak_memory(&status.ok()?)
}

fn parse_peak_memory(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, streams: Streams, limits: Limits) -> Finished {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(&mut command, b"given\n", streams, limits).unwrap()
    }

    #[test]
    fn streams_and_status_are_collected() {
        let finished = shell(
            "cat; echo wrong >&2; exit 3",
            Streams::Apart,
            Limits::default(),
        );
        assert_eq!(finished.stdout, b"given\n");
        assert_eq!(finished.stderr, b"wrong\n");
        assert_eq!(finished.ending, Ending::Status(3));
    }

    #[test]
    fn merged_streams_keep_their_order() {
        let script = "echo 1; echo 2 >&2; echo 3";
        let finished = shell(script, Streams::Merged, Limits::default());
        assert_eq!(finished.stdout, b"1\n2\n3\n");
    }

    #[test]
    fn a_signal_is_a_crash() {
        let finished = shell("kill -9 $$", Streams::Apart, Limits::default());
        assert!(matches!(finished.ending, Ending::Crashed(_)));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let limits = Limits {
            time: Duration::from_millis(50),
            ..Limits::default()
        };
        // `exec`, because a child of the shell would survive it and keep the streams open.
        let finished = shell("exec sleep 600", Streams::Apart, limits);
        assert_eq!(finished.ending, Ending::OutOfTime(limits.time));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_runs_away_with_memory_is_ended() {
        let limits = Limits {
            memory: 1,
            ..Limits::default()
        };
        let finished = shell("exec sleep 600", Streams::Apart, limits);
        assert_eq!(finished.ending, Ending::OutOfMemory(1));
    }

    #[test]
    fn peak_memory_is_read_from_the_process_status() {
        assert_eq!(
            parse_peak_memory("Name:\tx\nVmHWM:\t    2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(parse_peak_memory("Name:\tx\n"), None);
    }
}
