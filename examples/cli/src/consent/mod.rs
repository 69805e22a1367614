//! `mic consent`: everything that is signed and checked for one consented access.

use std::process::ExitCode;

use clap::Subcommand;
use mic_platform::problem::Problem;

mod alone;
mod ask;
mod check;
mod common;
mod emergency;
mod files;
mod grant;
mod hold;
mod keys;
mod log;
mod look;
mod outcome;
mod reconcile;
mod status;
mod trust;
mod words;

/// What to do with consent tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key: a secret file, and the record for others to trust.
    Keygen(keys::Keygen),
    /// Key sets: sign one, adopt one, show what is trusted.
    #[command(subcommand)]
    Keyset(trust::Keyset),
    /// A hospital asks for access (申请).
    Request(ask::Request),
    /// The patient's phone shows a handle that a hospital may ask with (出示).
    Offer(ask::OfferArguments),
    /// The consent authority grants what the patient agreed to (授权).
    Grant(Box<grant::Grant>),
    /// The consent authority says that there is no consent (拒绝).
    Refuse(grant::Refuse),
    /// The holder of a grant makes a smaller one of it (缩小).
    Narrow(Box<hold::Narrow>),
    /// The holder of a grant proves one use of it (出示使用证明).
    Present(hold::Present),
    /// Check a token, or decide as a node on one action (核验).
    Check(Box<check::Check>),
    /// The consent authority ends a grant (撤回).
    Withdraw(status::Withdraw),
    /// Status lists: issue one, ask one, note what was heard.
    #[command(subcommand)]
    Status(status::Status),
    /// A hospital's emergency role takes access without consent (紧急调阅).
    Emergency(emergency::Emergency),
    /// A reviewer judges an emergency access (复核).
    Review(emergency::Review),
    /// The log of receipts: append, head, prove, verify, witness.
    #[command(subcommand)]
    Log(log::Log),
    /// Compare what was served with what was granted (对账).
    Reconcile(reconcile::Reconcile),
    /// Show a token's outer form. Nothing of it is checked.
    Inspect(look::Inspect),
    /// Draw a token as a QR code.
    Qr(look::Qr),
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    let (ended, json) = match &command {
        Command::Keygen(arguments) => (keys::keygen(arguments), arguments.common.json),
        Command::Keyset(keyset) => (keyset.run(), keyset.common().json),
        Command::Request(arguments) => (ask::request(arguments), arguments.common.json),
        Command::Offer(arguments) => (ask::offer(arguments), arguments.common.json),
        Command::Grant(arguments) => (grant::grant(arguments), arguments.common.json),
        Command::Refuse(arguments) => (grant::refuse(arguments), arguments.common.json),
        Command::Narrow(arguments) => (hold::narrow(arguments), arguments.common.json),
        Command::Present(arguments) => (hold::present(arguments), arguments.common.json),
        Command::Check(arguments) => (check::check(arguments), arguments.common.json),
        Command::Withdraw(arguments) => (status::withdraw(arguments), arguments.common.json),
        Command::Status(status) => (status.run(), status.common().json),
        Command::Emergency(arguments) => (emergency::emergency(arguments), arguments.common.json),
        Command::Review(arguments) => (emergency::review(arguments), arguments.common.json),
        Command::Log(log) => (log.run(), log.common().json),
        Command::Reconcile(arguments) => (reconcile::reconcile(arguments), arguments.common.json),
        Command::Inspect(arguments) => (look::inspect(arguments), arguments.common.json),
        Command::Qr(arguments) => (look::qr(arguments), arguments.common.json),
    };
    outcome::end(ended, json)
}
