//! What we mail people about their accounts: plain text, short, with one thing to do.

use crate::domain::secret::Secret;

/// Subject and body; lines end in `\n`. `html`: the same for readers that show pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    pub subject: String,
    pub body: String,
    pub html: Option<String>,
}

/// Who writes.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The shop's name.
    pub shop: String,
    /// The shop's address without a slash at its end.
    pub url: String,
}

impl Sender {
    fn text(&self, subject: String, body: &str) -> MailText {
        let Self { shop, url } = self;
        // What an operator calls the shop ends no line.
        let subject = subject.replace(['\r', '\n'], " ");
        let body = format!("Hello,\n\n{body}\n\n{shop}\n{url}\n");
        MailText { subject, body, html: None }
    }

    pub fn welcome(&self) -> MailText {
        let Self { shop, url } = self;
        let body = format!(
            "you have an account at {shop} now. Your orders and addresses are here:\n\n\
             {url}/account\n\n\
             If that wasn't you, somebody took your address by mistake: set a password of your own\n\
             at {url}/forgot and the account is yours."
        );
        self.text(format!("Your account at {shop}"), &body)
    }

    /// Somebody asked for it; it can be used once, within `minutes`.
    pub fn reset(&self, token: &Secret, minutes: u64) -> MailText {
        let Self { shop, url } = self;
        let token = token.expose();
        let body = format!(
            "somebody asked to set a new password for your account at {shop}. To do so, open this\n\
             within {minutes} minutes:\n\n\
             {url}/reset?token={token}\n\n\
             If that wasn't you, do nothing: your password stays as it is."
        );
        self.text(format!("Set a new password at {shop}"), &body)
    }

    /// Somebody was let in by somebody else.
    pub fn invitation(&self, token: &Secret, days: u64) -> MailText {
        let Self { shop, url } = self;
        let token = token.expose();
        let body = format!(
            "you were given an account at {shop}. Set a password for it within {days} days:\n\n\
             {url}/reset?token={token}"
        );
        self.text(format!("Your account at {shop}"), &body)
    }

    pub fn password_changed(&self) -> MailText {
        let Self { shop, url } = self;
        let body = format!(
            "the password of your account at {shop} was changed, and who was logged in with the old\n\
             one is logged out. If that wasn't you, set a new one now:\n\n\
             {url}/forgot"
        );
        self.text(format!("Your password at {shop} was changed"), &body)
    }

    /// To the old address.
    pub fn email_changed(&self) -> MailText {
        let Self { shop, .. } = self;
        let body = format!(
            "your account at {shop} has another address of mail from now on, and this one leads\n\
             there no more. If that wasn't you, write to us."
        );
        self.text(format!("Your address at {shop} was changed"), &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_who_writes_and_leads_to_the_shop() {
        let sender = Sender { shop: "Toolery\nX".into(), url: "https://tools.example".into() };
        let token = Secret::new("t0ken");
        let mails = [
            sender.welcome(),
            sender.reset(&token, 30),
            sender.invitation(&token, 7),
            sender.password_changed(),
            sender.email_changed(),
        ];
        for mail in &mails {
            assert!(!mail.subject.contains('\n') && mail.subject.contains("Toolery"), "{mail:?}");
            assert!(mail.body.contains("https://tools.example"), "{}", mail.body);
            let longest = mail.body.lines().map(str::len).max().unwrap();
            assert!(longest <= 90, "{longest}: {}", mail.body);
        }
        for mail in &mails[1..3] {
            assert!(
                mail.body.contains("\nhttps://tools.example/reset?token=t0ken\n"),
                "{}",
                mail.body
            );
        }
    }
}
