-- trick: the key of a duplicate
-- expect: held
-- unlabelled: held
-- anything: masked
-- decode: digits

insert into cards (holder, pan, pan_number, cvv, expiry) select holder, pan, pan_number, cvv, expiry from cards where id = 1
