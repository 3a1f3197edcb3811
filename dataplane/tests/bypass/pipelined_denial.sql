-- trick: denied and allowed in one batch
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: pipelined

select pan from cards

select lo_get(1)

select pan_number from cards
