-- trick: a line for each group
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select regexp_replace(pan, '(....)', concat('\\1', char(10))) from cards
