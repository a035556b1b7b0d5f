//! What each command does: call, then show.

mod agents;
mod dead_letters;
mod keys;
mod login;
mod memory;
mod messages;
mod password;
mod proposals;
mod reruns;
mod run;
mod schedules;
mod system;
mod tasks;
mod tenants;
mod users;
mod watch;

use std::io::{BufRead, IsTerminal, Write};

use serde::Serialize;
use swarm_client::{Agent, NewFeedback};
use swarm_errors::Error;
use swarm_types::{Page, PageRequest};

use crate::arguments::{Command, Globals, Output};
use crate::connection::Connection;
use crate::console::{Line, Screen, Style};
use crate::failure::Failure;
use crate::live::Names;
use crate::top::top;

/// Does what the command line asks for.
///
/// # Errors
/// [`Failure`], which knows its exit code and its words.
pub async fn execute(command: Command, globals: &Globals) -> Result<(), Failure> {
    if let Command::Login(arguments) = command {
        return login::login(arguments, globals).await;
    }
    if let Command::Password(arguments) = command {
        return password::change(arguments, globals).await;
    }
    let session = Session {
        connection: globals.connect().await?,
        screen: Screen::of_process(),
        output: globals.output,
    };
    match command {
        Command::Run(arguments) => run::run(&session, arguments).await,
        Command::Tasks(command) => tasks::execute(&session, command).await,
        Command::DeadLetters(command) => dead_letters::execute(&session, command).await,
        Command::Schedules(command) => schedules::execute(&session, command).await,
        Command::Agents(command) => agents::execute(&session, command).await,
        Command::Proposals(command) => proposals::execute(&session, command).await,
        Command::Memory(command) => memory::execute(&session, command).await,
        Command::Messages(command) => messages::execute(&session, command).await,
        Command::Feedback(arguments) => {
            let (task_id, rating) = (arguments.task, arguments.rating);
            let feedback = NewFeedback {
                task_id,
                rating,
                comment: arguments.comment,
            };
            session.call(session.connection.client.feedback(&feedback).await)?;
            session.done(
                &feedback,
                &format!("{} is rated {rating} of 5", feedback.task_id),
            )
        }
        Command::Users(command) => users::execute(&session, command).await,
        Command::Tenants(command) => tenants::execute(&session, command).await,
        Command::Keys(command) => keys::execute(&session, command).await,
        Command::System => system::system(&session).await,
        Command::Top(arguments) => top(&session, arguments).await,
        Command::Login(_) | Command::Password(_) => Ok(()),
    }
}

/// A connection, and a screen to show what comes of it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) screen: Screen,
    pub(crate) output: Output,
}

impl Session {
    pub(crate) fn call<T>(&self, answer: Result<T, Error>) -> Result<T, Failure> {
        answer.map_err(|error| self.connection.failed(error))
    }

    /// Shows a value: to programs as it is, to people as lines.
    pub(crate) fn show<T: Serialize>(
        &self,
        value: &T,
        lines: impl FnOnce(usize) -> Vec<Line>,
    ) -> Result<(), Failure> {
        match self.output {
            Output::Json => self.json(value),
            Output::Table => Ok(self.screen.print(&lines(self.screen.columns()))?),
        }
    }

    /// Shows a page, and how to see the next one.
    fn page<T: Serialize>(
        &self,
        page: &Page<T>,
        what: &str,
        lines: impl FnOnce(&[T], usize) -> Vec<Line>,
    ) -> Result<(), Failure> {
        self.show(page, |columns| {
            if page.items.is_empty() {
                return vec![Line::new().with(Style::Dim, format!("no {what}"))];
            }
            let mut lines = lines(&page.items, columns);
            if let Some(cursor) = &page.next_cursor {
                lines.push(
                    Line::new().with(Style::Dim, format!("there are more: --cursor {cursor}")),
                );
            }
            lines
        })
    }

    /// Says in one line what was done; programs get the value.
    fn done<T: Serialize>(&self, value: &T, words: &str) -> Result<(), Failure> {
        self.show(value, |_| vec![Line::from(words)])
    }

    /// Shows what came of one call for each id. What was refused is said, and the rest done nevertheless.
    fn each<T: Serialize>(
        &self,
        ids: &[String],
        answers: Vec<Result<T, Failure>>,
        words: impl Fn(&T) -> String,
    ) -> Result<(), Failure> {
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        for (id, answer) in ids.iter().zip(answers) {
            match answer {
                Ok(value) => done.push(value),
                Err(failure @ Failure::Refused(_)) => refused.push(format!("{id}: {failure}")),
                Err(failure) => return Err(failure),
            }
        }
        self.show(&done, |_| {
            done.iter().map(|value| Line::from(words(value))).collect()
        })?;
        for words in &refused {
            writeln!(std::io::stderr(), "{words}")?;
        }
        if refused.is_empty() {
            Ok(())
        } else {
            Err(Failure::Task)
        }
    }

    fn json<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::Refused(Error::internal(error)))?;
        Ok(self.screen.write(&(text + "\n"))?)
    }

    /// All agents that have not stopped.
    async fn agents(&self) -> Result<Vec<Agent>, Failure> {
        let mut agents = Vec::new();
        let mut request = PageRequest {
            limit: swarm_types::MAX_LIMIT,
            cursor: String::new(),
        };
        loop {
            let page = self.call(
                self.connection
                    .client
                    .list_agents(None, None, &request)
                    .await,
            )?;
            agents.extend(page.items);
            match page.next_cursor {
                Some(cursor) => request.cursor = cursor,
                None => return Ok(agents),
            }
        }
    }

    /// What agents are called; nothing where the caller may not know.
    async fn names(&self) -> Names {
        self.agents()
            .await
            .map(|agents| Names::of(&agents))
            .unwrap_or_default()
    }

    /// The id of the agent that is named, by name or id.
    async fn agent_id(&self, flag: &str, named: &str) -> Result<String, Failure> {
        if named.starts_with("agent_") {
            return Ok(named.to_owned());
        }
        let agents = self.agents().await?;
        match agents.iter().find(|agent| agent.name == named) {
            Some(agent) => Ok(agent.id.clone()),
            None => Err(Failure::Refused(Error::invalid(
                flag,
                format!("there is no agent {named}; `swarm agents list` shows all"),
            ))),
        }
    }
}

/// A secret that is typed in unseen, or the next line of standard input.
fn read_secret(prompt: &str) -> Result<String, Failure> {
    let input = std::io::stdin();
    let line = if input.is_terminal() {
        hidden(prompt)?
    } else {
        let mut line = String::new();
        input.lock().read_line(&mut line)?;
        line
    };
    match line.trim() {
        "" => Err(Failure::usage(
            "password",
            "must not be empty: type it in, or give it on standard input",
        )),
        secret => Ok(secret.to_owned()),
    }
}

/// A new secret; who types it in unseen does so twice.
fn read_new_secret(prompt: &str) -> Result<String, Failure> {
    let secret = read_secret(prompt)?;
    if std::io::stdin().is_terminal() && read_secret("once more")? != secret {
        return Err(Failure::usage(
            "password",
            "was typed in differently the second time",
        ));
    }
    Ok(secret)
}

fn hidden(prompt: &str) -> std::io::Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let mut err = std::io::stderr();
    write!(err, "{prompt}: ")?;
    err.flush()?;
    let input = std::io::stdin();
    let before = tcgetattr(&input)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &silent)?;
    let mut line = String::new();
    let read = input.read_line(&mut line);
    tcsetattr(&input, OptionalActions::Flush, &before)?;
    writeln!(err)?;
    read.map(|_| line)
}
