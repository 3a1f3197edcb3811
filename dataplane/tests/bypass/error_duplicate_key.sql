-- trick: the key of a duplicate
-- expect: held
-- unlabelled: held
-- anything: masked
-- decode: digits

insert into cards (holder, pan, pan_number, expiry) select holder, pan, pan_number, expiry from cards where id = 1
