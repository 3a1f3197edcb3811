-- trick: a text that is one executable comment
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

/*M!100100 select pan, pan_number from cards */
