-- trick: an unsigned number
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select cast(pan as unsigned), pan_number | 0, ~~pan_number from cards
