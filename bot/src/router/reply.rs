//! Where answers go.

use std::collections::BTreeSet;

use rackhand_core::{
    ids::{ApprovalId, JobId},
    model::{Body, Notice},
    store::job_key,
};

use crate::{
    messenger::Message,
    texts::{Lang, plain, say},
    views,
};

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub places: Vec<Place>,
    /// A few words over the screen, for a press.
    pub toast: Option<String>,
}

/// Where a part of an answer goes.
#[derive(Debug)]
pub(super) enum Place {
    /// In the place of the message whose button was pressed; below, when it was typed.
    Here(Body),
    /// Below, as a new message.
    Below(Body),
    /// The message whose button was pressed is worded anew.
    Again,
    /// The one live message of something, brought down to where its reader is.
    Live { key: String, body: Body, instead: Body },
    /// Once, however often it is asked for.
    Once { key: String, body: Body },
}

impl Reply {
    /// Takes the place of the message whose button was pressed.
    pub fn here(message: Message) -> Self {
        Self::of(Place::Here(views::body(message)))
    }

    /// A new message.
    pub fn below(body: Body) -> Self {
        Self::of(Place::Below(body))
    }

    /// The message is worded anew.
    pub fn again() -> Self {
        Self::of(Place::Again)
    }

    /// A job's live message.
    pub fn job(lang: Lang, job: JobId) -> Self {
        let instead = views::body(Message::new(say!(lang, "see-below")));
        Self::of(Place::Live { key: job_key(job), body: Body::JobCard { job }, instead })
    }

    /// A question's live message.
    pub fn approval(lang: Lang, approval: ApprovalId) -> Self {
        let instead = views::body(Message::new(say!(lang, "see-below")));
        let body = Body::Notice(Notice::ApprovalAsked { approval });
        Self::of(Place::Live { key: format!("approval:{approval}"), body, instead })
    }

    /// What was asked for waits for a yes; `open` are the questions that were open before.
    pub fn question(lang: Lang, question: ApprovalId, open: &BTreeSet<ApprovalId>) -> Self {
        if open.contains(&question) {
            // It is brought down to where the person is.
            return Self::approval(lang, question).toast(plain!(lang, "toast-asked-before"));
        }
        // It is on its way to everybody who may answer it.
        Self::again().toast(plain!(lang, "toast-asked"))
    }

    /// With words over the screen.
    pub fn toast(mut self, words: String) -> Self {
        self.toast = Some(words);
        self
    }

    /// With one more place.
    pub fn and(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    /// Nothing takes the place of a message: what would comes below.
    pub fn all_below(&mut self) {
        for place in &mut self.places {
            if let Place::Here(body) = place {
                *place = Place::Below(body.clone());
            }
        }
    }

    fn of(place: Place) -> Self {
        Self { places: vec![place], toast: None }
    }
}
