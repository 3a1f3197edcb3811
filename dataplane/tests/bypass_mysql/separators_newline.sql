-- trick: a line for each group
-- expect: masked
-- unlabelled: masked
-- decode: digits

select regexp_replace(pan, '(....)', concat('\\1', char(10))) from cards
