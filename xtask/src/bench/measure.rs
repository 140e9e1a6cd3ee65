//! Running a child process and counting what it used.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What one run of a program used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Processor time in user code, over all threads.
    pub user: Duration,
    /// Processor time in the kernel, over all threads.
    pub system: Duration,
    /// Time from start to end.
    pub wall: Duration,
    /// Largest resident set, in bytes.
    pub peak_memory: u64,
}

/// A run that ended well.
pub struct Run {
    pub sample: Sample,
    /// What the program wrote to standard output.
    pub output: Vec<u8>,
}

/// Why a run yields no sample.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot be run: {0}")]
    Io(#[from] io::Error),
    #[error("{status}: {message}")]
    Status { status: ExitStatus, message: String },
}

/// Runs a command to its end, with nothing to read on standard input.
///
/// # Errors
///
/// Fails if the command cannot be started or ends with a status other than
/// success; the error then holds the first line from standard error.
pub fn run(mut command: Command) -> Result<Run, Error> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Both pipes must be drained at once, or a child that fills one of them
    // waits for us while we wait for it.
    let errors = child.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).map(|_| text)
        })
    });
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut output)?;
    }
    let errors = match errors.map(thread::JoinHandle::join) {
        Some(Ok(text)) => text?,
        _ => Vec::new(),
    };
    let (status, usage) = wait(child)?;
    let sample = Sample {
        user: usage.user,
        system: usage.system,
        wall: start.elapsed(),
        peak_memory: usage.peak_memory,
    };
    if status.success() {
        Ok(Run { sample, output })
    } else {
        let message = String::from_utf8_lossy(&errors)
            .lines()
            .next()
            .unwrap_or("nothing on standard error")
            .to_owned();
        Err(Error::Status { status, message })
    }
}

struct Usage {
    user: Duration,
    system: Duration,
    peak_memory: u64,
}

/// Waits for a child and takes its own resource usage, which the standard
/// library does not offer.
#[cfg(unix)]
fn wait(child: Child) -> io::Result<(ExitStatus, Usage)> {
    use std::os::unix::process::ExitStatusExt;

    /// The unit of `ru_maxrss`, in bytes.
    const PEAK_MEMORY_UNIT: u64 = if cfg!(target_vendor = "apple") {
        1
    } else {
        1024
    };

    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: `rusage` is a plain structure of integers, for which all zeros
    // is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers refer to live locals of the types that `wait4`
    // writes. `child` is owned and nobody else has waited for it, so its
    // identifier cannot have been given to another process.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let usage = Usage {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
        peak_memory: u64::try_from(usage.ru_maxrss).unwrap_or(0) * PEAK_MEMORY_UNIT,
    };
    Ok((ExitStatus::from_raw(status), usage))
}

#[cfg(unix)]
fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0))
        + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

#[cfg(not(unix))]
fn wait(_child: Child) -> io::Result<(ExitStatus, Usage)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "benchmarks need a Unix-like system",
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_run_yields_output_and_usage() {
        let run = run(shell(
            "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo $i",
        ))
        .expect("the shell runs");
        assert_eq!(run.output, b"20000\n");
        assert!(run.sample.user + run.sample.system > Duration::ZERO);
        assert!(run.sample.wall > Duration::ZERO);
        assert!(run.sample.peak_memory > 0);
    }

    #[test]
    fn a_failing_run_yields_its_status_and_message() {
        let error = run(shell("echo broken >&2; exit 3"))
            .err()
            .expect("the run fails");
        assert!(matches!(
            error,
            Error::Status { status, message } if status.code() == Some(3) && message == "broken"
        ));
    }

    #[test]
    fn much_output_on_both_streams_does_not_block() {
        let run = run(shell(
            "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo $i; echo $i >&2; done",
        ))
        .expect("the shell runs");
        assert!(run.output.ends_with(b"20000\n"));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(matches!(
            run(Command::new("no-such-engine")),
            Err(Error::Io(_))
        ));
    }
}
