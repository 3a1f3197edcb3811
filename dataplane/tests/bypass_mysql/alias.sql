-- trick: columns under other names
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan as note, pan_number as amount from cards order by id
