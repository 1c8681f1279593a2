export OF_THE_PROFILE=yes
