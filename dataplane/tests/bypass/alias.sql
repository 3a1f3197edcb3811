-- trick: a column under another name
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan as note, pan_number as amount from cards order by id
