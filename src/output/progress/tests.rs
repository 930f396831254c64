use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

/// A terminal that remembers what was written to it.
#[derive(Debug, Clone, Default)]
struct Screen(Arc<Mutex<String>>);

impl Screen {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).unwrap();
        self.0.lock().unwrap().push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer into a pipe that nobody reads.
struct ClosedPipe;

impl Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn tell(progress: &Progress) {
    progress.event(Event::KeysetFinished {
        id: "B2C_1A_Signing",
        action: Action::Create,
    });
    progress.event(Event::KeysetFailed {
        id: "B2C_1A_Social",
        error: "set SOCIAL_SECRET",
    });
    progress.event(Event::PolicyStarted { id: "B2C_1A_Base" });
    progress.event(Event::Retry {
        id: "B2C_1A_Base",
        reason: "429 Too Many\r\nRequests",
        delay: Duration::from_millis(2_500),
    });
    progress.event(Event::PolicyFinished {
        id: "B2C_1A_Base",
        action: Action::Create,
        status: Status::Done,
        duration: Duration::from_millis(212),
        error: None,
    });
    progress.event(Event::PolicyFinished {
        id: "B2C_1A_Loc",
        action: Action::Unchanged,
        status: Status::Done,
        duration: Duration::ZERO,
        error: None,
    });
    progress.event(Event::PolicyStarted { id: "B2C_1A_Ext" });
    progress.event(Event::PolicyFinished {
        id: "B2C_1A_Ext",
        action: Action::Update,
        status: Status::Failed,
        duration: Duration::from_millis(1_300),
        error: Some("##vso[task.complete]\nno"),
    });
    progress.event(Event::PolicyBlocked {
        id: "B2C_1A_SignUp",
        base: "B2C_1A_Ext",
    });
    progress.finish();
}

const LINES: [&str; 6] = [
    "created keyset B2C_1A_Signing",
    "failed keyset B2C_1A_Social: set SOCIAL_SECRET",
    "created B2C_1A_Base (212 ms)",
    "unchanged B2C_1A_Loc",
    "failed B2C_1A_Ext (1.3 s): \u{ff03}#vso[task.complete] no",
    "blocked B2C_1A_SignUp: B2C_1A_Ext failed",
];

#[test]
fn without_a_terminal_every_event_is_one_line() {
    let screen = Screen::default();
    tell(&Progress::lines(Box::new(screen.clone()), Style::default()));
    let text = screen.text();
    let mut expected = LINES.to_vec();
    expected.insert(
        2,
        "B2C_1A_Base: trying again in 2.5 s: 429 Too Many  Requests",
    );
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_bar_leaves_the_same_lines_above_it() {
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    tell(&Progress::on(target, 4, Style::default()));
    let text = screen.text();
    for line in LINES {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}

#[test]
fn a_closed_pipe_stops_nothing() {
    tell(&Progress::lines(Box::new(ClosedPipe), Style::default()));
    tell(&Progress::silent());
}

#[test]
fn events_of_many_threads_keep_their_lines() {
    let screen = Screen::default();
    let progress = Progress::lines(Box::new(screen.clone()), Style::default());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let progress = &progress;
            scope.spawn(move || {
                for number in 0..50 {
                    let id = format!("B2C_1A_P{thread}_{number}");
                    progress.event(Event::PolicyBlocked {
                        id: &id,
                        base: "B2C_1A_Base",
                    });
                }
            });
        }
    });
    let text = screen.text();
    assert_eq!(text.lines().count(), 400);
    assert!(
        text.lines()
            .all(|line| line.ends_with("B2C_1A_Base failed"))
    );
}
