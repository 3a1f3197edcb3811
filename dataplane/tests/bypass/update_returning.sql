-- trick: UPDATE … RETURNING
-- expect: held
-- unlabelled: held
-- anything: masked
-- decode: digits

update cards set expiry = expiry where id = 1 returning pan, cards
