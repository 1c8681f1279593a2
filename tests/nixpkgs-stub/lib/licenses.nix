# The licences that this project knows.
{
  asl20 = {
    shortName = "asl20";
    spdxId = "Apache-2.0";
    fullName = "Apache License 2.0";
    free = true;
  };
  mit = {
    shortName = "mit";
    spdxId = "MIT";
    fullName = "MIT License";
    free = true;
  };
}
