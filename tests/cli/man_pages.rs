//! Manual pages and completions: made from the definitions of the command line, judged by the programs
//! that read them.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::fixture::IefCtl;

/// What a program says about a text on standard input; nothing if it is not there, which CI must not
/// be.
fn asked(program: &str, arguments: &[&str], text: &str) -> Option<(bool, String)> {
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        assert!(std::env::var_os("CI").is_none(), "CI must have {program}");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(said).unwrap()))
}

#[test]
fn there_is_a_page_for_every_command() {
    let iefctl = IefCtl::with_files([("x", "")]).args(["man", "share/man1"]);
    iefctl.run().expect(0).says("share/man1");
    let pages: Vec<String> = fs::read_dir(iefctl.path("share/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in [
        "iefctl.1",
        "iefctl-deploy.1",
        "iefctl-keys-rotate.1",
        "iefctl-man.1",
    ] {
        assert!(pages.iter().any(|found| found == page), "{pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("-ci")), "{pages:?}");
    let deploy = iefctl.read("share/man1/iefctl-deploy.1");
    assert!(deploy.contains("iefctl deploy policies") && deploy.contains("atomic"));
    for page in &pages {
        let text = iefctl.read(format!("share/man1/{page}"));
        let judged = asked("groff", &["-man", "-Kutf8", "-Tutf8", "-ww", "-z"], &text);
        let Some((good, said)) = judged else { break };
        assert!(good && said.is_empty(), "{page}: {said}");
    }
    let file = IefCtl::with_files([("x", "")]).args(["man", "x"]);
    file.run()
        .expect(2)
        .says("cannot write the manual pages to `x`");
}

#[test]
fn shells_take_the_completions() {
    let completions = |shell: &str| {
        let iefctl = IefCtl::with_files([("x", "")]).args(["completions", shell]);
        iefctl.run().expect(0).stdout
    };
    let bash = completions("bash")
        + "\nCOMP_WORDS=(iefctl dep); COMP_CWORD=1; _iefctl iefctl dep iefctl\n\
           printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    if let Some((good, said)) = asked("bash", &["--noprofile", "--norc"], &bash) {
        assert!(good && said.trim() == "deploy", "{said}");
    }
    let fish = completions("fish") + "\ncomplete -C 'iefctl dep'\n";
    if let Some((good, said)) = asked("fish", &["--no-config"], &fish) {
        assert!(good && said.starts_with("deploy\t"), "{said}");
    }
    if let Some((good, said)) = asked("zsh", &["-f", "-n"], &completions("zsh")) {
        assert!(good && said.is_empty(), "{said}");
        zsh_completes(&completions("zsh"));
    }
    assert!(completions("powershell").contains("Register-ArgumentCompleter"));
}

/// Completing in zsh needs a terminal, which its own module provides, and `timeout` so that nobody waits
/// for what never comes.
fn zsh_completes(completions: &str) {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("_iefctl"), completions).unwrap();
    let script = format!(
        "zmodload zsh/zpty\n\
         zpty z 'zsh -f -i'\n\
         zpty -w z \"fpath=({} \\$fpath); autoload -Uz compinit; compinit -u -D; \
         bindkey '^I' complete-word; echo rea''dy\"\n\
         zpty -r z out '*ready*'\n\
         zpty -n -w z $'iefctl dep\\t'\n\
         zpty -r -m z out '*deploy*'\n\
         print -r -- done\n",
        folder.path().display()
    );
    let (good, said) = asked("timeout", &["60", "zsh", "-f"], &script).unwrap();
    assert!(good && said.ends_with("done\n"), "{said}");
}
