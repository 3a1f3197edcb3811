//! What the tests share: a site with mgmt running, its REST client, and the link's client.

pub(crate) mod link;
pub(crate) mod site;

pub(crate) use link::LinkClient;
pub(crate) use site::Site;
