//! Logging in, and passwords: set, forgotten, changed.

use super::{Accounts, AccountsError, DAY, desk::Forgotten, who};
use crate::{
    actors::keepers::sessions::{Opened, Opening, Whence, hash},
    domain::{
        account::{Account, Email, Faults, Field, FieldFault, check_password},
        id::{SessionId, UserId},
        secret::Secret,
        session::{Session, Via},
    },
    ports::{
        accounts::{AccountWrite, Credentials, PasswordHash, Purpose},
        mail::NewMail,
        passwords::Verdict,
    },
};

/// What somebody says they are.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) email: String,
    pub(crate) password: Secret,
}

/// A wish to come in.
#[derive(Debug, Clone)]
pub(crate) struct LogIn {
    pub(crate) credential: Credential,
    /// The session they came with, which this one takes the place of.
    pub(crate) before: Option<Session>,
    pub(crate) via: Via,
    pub(crate) whence: Whence,
    /// Whom tries are counted for; `None`: they came from this machine.
    pub(crate) from: Option<String>,
}

impl Accounts {
    pub(crate) async fn log_in(&self, wish: LogIn) -> Result<Opened, AccountsError> {
        self.try_from(wish.from.as_deref())?;
        let account = self.verify(&wish.credential).await?;
        self.come_in(&account, wish.before.as_ref(), wish.via, wish.whence).await
    }

    /// Whose address and password these are. Takes as long, and says the same, whatever is wrong.
    async fn verify(&self, credential: &Credential) -> Result<Account, AccountsError> {
        let shared = &self.shared;
        // What is no address belongs to nobody, and is treated so.
        let email = Email::new(&credential.email).ok();
        let key = email.as_ref().map_or(credential.email.as_str(), Email::as_str).to_owned();
        shared.per_account.take(&key).map_err(AccountsError::TooMany)?;
        let known = match &email {
            Some(email) => shared.parts.rows.by_email(email).await?,
            None => None,
        };
        let compared = self.compare(known, &credential.password).await;
        if !matches!(compared, Err(AccountsError::Wrong)) {
            // Only failures count: who logs in often is no guesser.
            shared.per_account.give_back(&key);
        }
        compared
    }

    async fn compare(
        &self,
        known: Option<Credentials>,
        password: &Secret,
    ) -> Result<Account, AccountsError> {
        let parts = &self.shared.parts;
        let hash = known.as_ref().and_then(|known| known.password.clone());
        let verdict = parts.passwords.compare(password.clone(), hash.clone()).await?;
        let (Some(Credentials { account, .. }), Some(old), Verdict::Right | Verdict::Outdated) =
            (known, hash, verdict)
        else {
            return Err(AccountsError::Wrong);
        };
        if !account.may_come_in() {
            return Err(AccountsError::Wrong);
        }
        if verdict == Verdict::Outdated {
            let new = parts.passwords.hash(password.clone(), self.salt()).await?;
            let rehash = AccountWrite::Rehash { user: account.id, old, new };
            match self.do_it(rehash).await {
                // Changed meanwhile, or not possible now: the old hash serves until the next time.
                Ok(()) | Err(AccountsError::Absent) => {}
                Err(error) => tracing::warn!(%error, "a password was not hashed anew"),
            }
        }
        Ok(account)
    }

    /// A session for somebody who has shown who they are; the one before it is dead, and what a guest
    /// gathered is theirs.
    pub(super) async fn come_in(
        &self,
        account: &Account,
        before: Option<&Session>,
        via: Via,
        whence: Whence,
    ) -> Result<Opened, AccountsError> {
        let parts = &self.shared.parts;
        let opening = Opening { who: who(account), via, scopes: None, whence, ends_at: None };
        let Some(before) = before.filter(|before| before.via == via) else {
            return Ok(parts.sessions.open(opening).await?);
        };
        Ok(parts.sessions.replace(before.id, opening).await?)
    }

    /// Mails a link to set a password, if there is anybody of that address. That is looked up later,
    /// by the [desk](mod@super::desk), so neither the answer nor its time says whether there is.
    pub(crate) fn forgot(&self, email: &str, from: Option<&str>) -> Result<(), AccountsError> {
        self.try_from(from)?;
        let mut faults = Faults::default();
        let email = faults.email(email);
        faults.end().map_err(AccountsError::Invalid)?;
        let Some(email) = email else { return Err(AccountsError::Absent) };
        self.shared.desk.try_send(Forgotten(email)).map_err(|_| AccountsError::Busy)
    }

    /// Whether a mailed link can still be used; to be asked before its form is shown.
    pub(crate) async fn may_reset(&self, token: &Secret) -> Result<bool, AccountsError> {
        let (hash, now) = (hash(token), self.now());
        Ok(self.shared.parts.rows.by_token(hash, Purpose::Reset, now).await?.is_some())
    }

    /// Sets a password by a mailed link, once, and ends all sessions of the account. `Absent`: the
    /// link is none, was used, or is too old.
    pub(crate) async fn reset(
        &self,
        token: &Secret,
        password: Secret,
        from: Option<&str>,
    ) -> Result<(), AccountsError> {
        self.try_from(from)?;
        let (rows, token) = (&self.shared.parts.rows, hash(token));
        let user = rows.by_token(token, Purpose::Reset, self.now()).await?.flatten();
        let known = match user {
            Some(user) => rows.by_user(user).await?,
            None => None,
        };
        let account = known.ok_or(AccountsError::Absent)?.account;
        let mail = self.new_password_mail(&account);
        let password = self.hash_new(&account, password).await?;
        let at = self.now();
        self.do_it(AccountWrite::UseToken { token, password, mail, at }).await?;
        if let Some(email) = &account.email {
            // Whoever guessed before begins anew, and so does the owner who mistyped.
            self.shared.per_account.forget(email.as_str());
        }
        Ok(())
    }

    /// Another password, by somebody who knows the present one; ends all other sessions.
    pub(crate) async fn change_password(
        &self,
        user: UserId,
        session: SessionId,
        current: Secret,
        password: Secret,
    ) -> Result<(), AccountsError> {
        let account = self.confirm(user, current).await?;
        let mail = self.new_password_mail(&account);
        let password = self.hash_new(&account, password).await?;
        let (but, at) = (Some(session), self.now());
        self.do_it(AccountWrite::SetPassword { user, password, but, mail, at }).await
    }

    /// The account, if this is its password: asked again before what matters is changed.
    pub(super) async fn confirm(
        &self,
        user: UserId,
        current: Secret,
    ) -> Result<Account, AccountsError> {
        let shared = &self.shared;
        let key = user.to_string();
        shared.per_account.take(&key).map_err(AccountsError::TooMany)?;
        let known = shared.parts.rows.by_user(user).await?;
        match self.compare(known, &current).await {
            Ok(account) => {
                shared.per_account.give_back(&key);
                Ok(account)
            }
            Err(AccountsError::Wrong) => {
                let (field, fault) = (Field::CurrentPassword, "this is not your password".into());
                Err(AccountsError::Invalid(vec![FieldFault { field, fault }]))
            }
            Err(other) => Err(other),
        }
    }

    pub(super) async fn hash_new(
        &self,
        account: &Account,
        password: Secret,
    ) -> Result<PasswordHash, AccountsError> {
        check_password(&password, account.email.as_ref()).map_err(|fault| {
            let fault = FieldFault { field: Field::Password, fault: fault.to_string() };
            AccountsError::Invalid(vec![fault])
        })?;
        Ok(self.shared.parts.passwords.hash(password, self.salt()).await?)
    }

    fn new_password_mail(&self, account: &Account) -> Option<NewMail> {
        let text = self.shared.parts.sender.password_changed();
        let email = account.email.as_ref()?;
        Some(self.mail("password_changed", email, text, DAY * 3))
    }
}
